#pragma once

// Calls that wait for a run to change: WatchFlowRun and following logs.
//
// Each waits with a look: a function that reads the run and answers if there is news. A look is
// taken when a committed change of the run is signalled on this server, on a slow tick (changes
// made through other servers), and at last at the deadline. Thread-safe.

#include <functional>
#include <map>
#include <memory>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/sync.h"
#include "common/base/uuid.h"
#include "server/db/executor.h"

namespace forebay::server {

class Watchers {
 public:
  // True when it has answered its call. `last`: the deadline is here, answer whatever there is.
  using Look = std::function<bool(Session& session, bool last)>;

  Watchers(Executor& executor, const Clock& clock);
  ~Watchers();

  // Takes the first look at once. `stopped()` says that the client has gone.
  void Watch(const Uuid& run, absl::Duration wait, Look look, std::function<bool()> stopped);
  void RunsChanged(const std::vector<Uuid>& runs);
  size_t size() const;

 private:
  struct Waiting {
    Uuid run;
    absl::Duration deadline;
    Look look;
    std::function<bool()> stopped;
    // Under Watchers::mutex_: a look is queued or running; another was asked for meanwhile.
    bool looking = false;
    bool again = false;
  };
  using Handle = std::shared_ptr<Waiting>;
  void TakeLook(const Handle& watch);
  void LookNow(Session& session, const Handle& watch);
  void Remove(const Handle& watch);
  void Loop();

  Executor& executor_;
  const Clock& clock_;
  mutable Mutex mutex_;
  CondVar wake_;
  std::multimap<Uuid, Handle> by_run_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace forebay::server
