#pragma once

// All attempts of this worker: brings together what happens to each (from server, launcher, clock)
// with its state machine (attempt.h), and carries out what that answers.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "common/base/sync.h"
#include "forebay/v1/worker_protocol.pb.h"
#include "worker/launch/launcher.h"
#include "worker/render/renderer.h"
#include "worker/report/log_pump.h"
#include "worker/report/outbox.h"
#include "worker/session/lease.h"
#include "worker/supervise/attempt.h"
#include "worker/supervise/launch_desk.h"

namespace forebay::worker {

// Thread-safe: events come from the session, the outbox, the log pump, the desk and the launcher.
// Nothing here waits.
class Supervisor {
 public:
  struct Parts {
    Launcher& launcher;
    Renderer& renderer;
    Lease& lease;
    LaunchDesk& desk;
  };
  // `settled`: called without locks when less is held than before, and when an attempt is finished.
  Supervisor(Parts parts, std::function<void()> settled);

  // Where reports and output go, whose answers come back here. Once, before anything else.
  void Connect(Outbox& outbox, LogPump& log_pump);

  // From the server.
  void Assign(const v1::Assignment& assignment);
  void Adopt(const v1::Adoption& adoption);
  void Stop(const v1::StopCommand& command);
  // Infrastructure that belongs to nobody is ended and removed.
  void Discard(const std::string& name);
  void LeaseRenewed();
  void Answered(const v1::AttemptReport& report, const v1::ReportResult& result);
  void LogArrived(const v1::AttemptRef& attempt, int64_t next, bool exhausted);
  void LogRefused(const v1::AttemptRef& attempt, const v1::AppendResult& result);

  // From the launcher.
  void Changed(const std::string& name);

  // From the session. Looks at everything, in case the launcher missed a change.
  void LookAtAll();
  // The runs are asked to end, each with its grace.
  void StopAll();
  // The registration is over: all attempts are given up until they are adopted under a new one.
  // What runs goes on.
  void GiveUpAll();
  std::vector<v1::AttemptRef> Held();
  int held_count();
  // Whether nothing is left to do, removals included.
  bool idle();
  bool Knows(const std::string& name);

 private:
  // Tells an entry from an earlier one of the same name.
  struct Handle {
    std::string name;
    uint64_t generation = 0;
  };
  struct Entry {
    Attempt attempt;
    Handle handle;
    // A look is waiting at the desk.
    bool look_posted = false;
  };
  using Event = std::function<Actions(Attempt&)>;

  // Takes the place of an earlier entry of that name.
  void Begin(Attempt attempt);
  // Null when it is over or another has its name.
  Entry* Find(const Handle& handle) REQUIRES(mutex_);
  Entry* Find(const v1::AttemptRef& ref) REQUIRES(mutex_);
  // Gives one event to the attempt, if it is there, and performs what it answers.
  void Feed(const Handle& handle, const Event& event);
  void Feed(const v1::AttemptRef& ref, const Event& event);
  // Whether less is held than before, or it is finished.
  bool FeedEntry(Entry* entry, const Event& event) REQUIRES(mutex_);
  void Perform(Entry& entry, const Action& action) REQUIRES(mutex_);
  void PostLaunch(const Entry& entry) REQUIRES(mutex_);
  void PostGo(const Entry& entry) REQUIRES(mutex_);
  void PostLook(Entry& entry) REQUIRES(mutex_);
  void PostStop(const Entry& entry, absl::Duration grace) REQUIRES(mutex_);
  void PostRemove(const Entry& entry) REQUIRES(mutex_);

  // Jobs at the desk.
  void Launch(const Handle& handle, const v1::Assignment& assignment);
  absl::StatusOr<Observation> LaunchAndLook(const Handle& handle, const v1::Assignment& assignment);
  void Go(const Handle& handle);
  void Look(const Handle& handle);
  void Remove(const Handle& handle);

  const Parts parts_;
  const std::function<void()> settled_;
  Outbox* outbox_ = nullptr;
  LogPump* log_pump_ = nullptr;
  Mutex mutex_;
  uint64_t last_generation_ GUARDED_BY(mutex_) = 0;
  std::map<std::string, Entry> entries_ GUARDED_BY(mutex_);
};

}  // namespace forebay::worker
