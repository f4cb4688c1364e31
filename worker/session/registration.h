#pragma once

// The worker id under which calls are made now, shared by the threads that make them.

#include <string>

#include "absl/status/status.h"
#include "common/base/clock.h"
#include "common/base/sync.h"

namespace forebay::worker {

// How this worker is asked to end; each includes the one before.
enum class Ending {
  kNone,
  // Nothing new is taken, what is held goes on to its end.
  kDrain,
  // What is held is asked to end.
  kStopRuns,
};

// Open (an id), shut (none for now), or ended (none ever again). The session opens and ends it;
// those who make calls wait for an id, and say so when the server does not know it any more.
// Thread-safe.
class Registration {
 public:
  explicit Registration(const Clock& clock) : clock_(clock) {}

  // The id; waits while there is none. Empty when ended.
  std::string WaitForId();
  bool IsCurrent(const std::string& id);

  void Open(const std::string& id);
  // The server does not know this id. Nothing happens when it is no longer the current one.
  void Lose(const std::string& id);
  // Ended with an error, or orderly when OK. Only the first counts.
  void End(const absl::Status& status);

  // By signals and the server; never goes back.
  void Ask(Ending ending);
  Ending ending();

  // For the session alone: waits at most so long, less when the registration is lost or ended or
  // Poke or Ask is called.
  void Sleep(absl::Duration most);
  void Poke();
  // For those who make calls: a pause before the next try, cut short when the registration ends.
  void Pause(absl::Duration most);
  bool ended();
  // With which it ended.
  absl::Status status();

 private:
  const Clock& clock_;
  Mutex mutex_;
  CondVar changed_;
  std::string id_ GUARDED_BY(mutex_);
  Ending ending_ GUARDED_BY(mutex_) = Ending::kNone;
  bool poked_ GUARDED_BY(mutex_) = false;
  bool ended_ GUARDED_BY(mutex_) = false;
  absl::Status status_ GUARDED_BY(mutex_);
};

}  // namespace forebay::worker
