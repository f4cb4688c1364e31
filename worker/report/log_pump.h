#pragma once

// Output of runs on its way to the server, read only as fast as it is taken there.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "common/base/backoff.h"
#include "common/base/sync.h"
#include "forebay/v1/worker_protocol.pb.h"
#include "worker/launch/launcher.h"
#include "worker/session/registration.h"
#include "worker/session/server_api.h"

namespace forebay::worker {

// One call at a time, from a thread of its own, with lines of as many runs as have some, each its
// share: what it holds is one call's worth, whatever the runs write. A call whose outcome is not
// known is made again from the same place. Thread-safe.
class LogPump {
 public:
  // Both are called from the thread, without locks.
  struct Sink {
    // All lines below `next` have arrived; `exhausted`: of one that is final there are no more.
    std::function<void(const v1::AttemptRef&, int64_t next, bool exhausted)> arrived;
    // The server said STALE or STOP.
    std::function<void(const v1::AttemptRef&, const v1::AppendResult&)> refused;
  };

  LogPump(Launcher& launcher, ServerApi& api, Registration& registration, Random& random,
          Sink sink);
  ~LogPump() { Shut(); }
  LogPump(const LogPump&) = delete;
  LogPump& operator=(const LogPump&) = delete;
  // Ends the thread; calls do nothing more after that. End the registration first. Idempotent.
  void Shut();

  // Sends what comes, from sequence number `from` on. A repeat goes back to `from` if that is
  // earlier; `final`: the run is over.
  void Follow(const v1::AttemptRef& attempt, int64_t from, bool final);
  // There may be more.
  void Changed(const std::string& name);
  void Forget(const std::string& name);
  void Clear();

 private:
  struct Source {
    v1::AttemptRef attempt;
    int64_t next = 0;
    bool final = false;
    bool changed = true;
  };
  // Lines of one run in a call.
  struct Part {
    std::string name;
    v1::AttemptRef attempt;
    int64_t first = 0;
    bool final = false;
  };

  void Run();
  // Waits until a source has changed; runs that may have lines, the longest unserved first. Empty
  // when the registration has ended.
  std::vector<Part> NextParts();
  // Reads what the parts have into `request`; parts without lines go.
  void Read(std::vector<Part>& parts, v1::AppendAttemptLogsRequest& request);
  // Lines of one part; false when there are none.
  bool ReadPart(const Part& part, v1::AttemptLogs& logs);
  void Deliver(const Part& part, const v1::AppendResult& result);
  void Failed(const std::string& worker, const std::vector<Part>& parts, const absl::Status& error);

  Launcher& launcher_;
  ServerApi& api_;
  Registration& registration_;
  const Sink sink_;
  Backoff backoff_;
  Mutex mutex_;
  CondVar wake_;
  bool ending_ GUARDED_BY(mutex_) = false;
  std::map<std::string, Source> sources_ GUARDED_BY(mutex_);
  // The last one served.
  std::string cursor_ GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace forebay::worker
