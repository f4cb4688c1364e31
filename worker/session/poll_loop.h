#pragma once

// The long poll: asks for as many attempts as there is room for, and hears commands.

#include <functional>
#include <optional>
#include <string>
#include <thread>

#include "common/base/backoff.h"
#include "common/base/sync.h"
#include "common/base/uuid.h"
#include "worker/session/registration.h"
#include "worker/session/server_api.h"

namespace forebay::worker {

// One call at a time, from a thread of its own, under whatever id is registered. A call whose
// answer was lost is repeated with its request id until an answer comes, so that no grant is lost
// and none comes twice. Thread-safe.
class PollLoop {
 public:
  struct Callbacks {
    // How many more attempts there is room for.
    std::function<int()> free_slots;
    std::function<int64_t()> pool_revision;
    // An answer; called from the thread, without locks.
    std::function<void(const v1::PollResponse&)> answered;
  };
  PollLoop(ServerApi& api, Registration& registration, UuidSource& ids, Random& random,
           Callbacks callbacks);
  ~PollLoop() { Shut(); }
  PollLoop(const PollLoop&) = delete;
  PollLoop& operator=(const PollLoop&) = delete;
  // Ends the call that is out, and the thread. End the registration first. Idempotent.
  void Shut();

  // There may be room where there was none.
  void SlotsChanged();
  // Whether no poll is out that could bring an attempt.
  bool offers_nothing();

 private:
  void Run();
  v1::PollRequest NextRequest(const std::string& worker);
  absl::StatusOr<v1::PollResponse> Call(const v1::PollRequest& request, Cancellation& cancellation);
  void Failed(const v1::PollRequest& request, const absl::Status& error);

  ServerApi& api_;
  Registration& registration_;
  UuidSource& ids_;
  const Callbacks callbacks_;
  Backoff backoff_;
  // A request whose outcome is not known.
  std::optional<v1::PollRequest> unanswered_;
  Mutex mutex_;
  int offered_ GUARDED_BY(mutex_) = 0;
  // Since the offer was made.
  bool slots_changed_ GUARDED_BY(mutex_) = false;
  bool ending_ GUARDED_BY(mutex_) = false;
  // The call that is out.
  Cancellation* call_ GUARDED_BY(mutex_) = nullptr;
  std::thread thread_;
};

}  // namespace forebay::worker
