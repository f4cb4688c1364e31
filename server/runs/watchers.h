#pragma once

// Calls that wait for a run to change, or for any of them: WatchFlowRun, following logs, events.
//
// Each waits with a look: a function that reads the run and answers if there is news. A look is
// taken when a committed change of the run is signalled on this server, on a slow tick (changes
// made through other servers), and at last at the deadline. Those who wait for any run look at
// most 50 times a second, and at once when another server tells of changes. Thread-safe.

#include <atomic>
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
  enum class Seen {
    kNothing,
    // There is something that can be read in a moment.
    kMoreSoon,
    kAnswered,
  };
  // `last`: the deadline is here, answer whatever there is.
  using Look = std::function<Seen(Session& session, bool last)>;

  Watchers(Executor& executor, const Clock& clock);
  ~Watchers();

  // Takes the first look at once. `stopped()` says that the client has gone.
  void Watch(const Uuid& run, absl::Duration wait, Look look, std::function<bool()> stopped);
  void WatchAll(absl::Duration wait, Look look, std::function<bool()> stopped);
  void RunsChanged(const std::vector<Uuid>& runs);
  // Through another server.
  void AnyRunChanged();
  // From now on nobody waits: all are answered with what there is.
  void End();
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
  using ByRun = std::multimap<Uuid, Handle>;
  void TakeLook(const Handle& watch);
  void LookNow(Session& session, const Handle& watch);
  void Remove(const Handle& watch);
  void Loop();
  // Waits for what comes first; answers who has to look then.
  std::vector<Handle> NextToLook(absl::Duration& tick);

  Executor& executor_;
  const Clock& clock_;
  std::atomic<bool> ending_ = false;
  mutable Mutex mutex_;
  CondVar wake_;
  // Those who wait for any run stand under the zero id.
  ByRun by_run_ GUARDED_BY(mutex_);
  // Those who wait for any run have to look.
  bool news_ GUARDED_BY(mutex_) = false;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace forebay::server
