#pragma once

// The life of one attempt in the hands of this worker: what happened, and what to do next.
//
//   kLaunching (-> kPreparing) -> kGate -> kGo -> kRunning -> kDraining -> kReporting -> kRemoving
//   -> kDone
//
// An attempt that is adopted begins with a look at its infrastructure and goes on from what is
// seen; what has not been let go is launched again, in case an earlier worker did not get to the
// end of its launch. Pure: events come in by the methods, each answers what is to be done, in
// order; time, calls and launchers are elsewhere (supervisor.h). Every event may come late or
// twice: what does not fit the step changes nothing.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "forebay/v1/worker_protocol.pb.h"
#include "worker/launch/launcher.h"

namespace forebay::worker {

struct Action {
  enum class Kind {
    // Done by the launcher. Launch and observe: the answer is Launched.
    kLaunch,
    kGo,
    kObserve,
    kStop,
    // Ends it by force if it lives.
    kRemove,
    // `report` goes to the server; the answer is Answered.
    kReport,
    // Output is sent from `sequence` on, as it comes; with `final`, what is there now is all.
    kFollowLog,
    // Nothing is left to do.
    kFinish,
  };
  Kind kind = Kind::kFinish;
  absl::Duration grace;
  v1::AttemptReport report;
  int64_t sequence = 0;
  bool final = false;
};
using Actions = std::vector<Action>;

class Attempt {
 public:
  enum class Step {
    kLaunching,
    // Launched, and what it needs is still being brought together.
    kPreparing,
    // Its infrastructure is looked at.
    kFound,
    // It waits, and the gate has been asked for.
    kGate,
    // The gate is passed, and it has been told to go.
    kGo,
    kRunning,
    // It is over, and not all of its output has arrived.
    kDraining,
    // The last report is on its way.
    kReporting,
    // The server knows the end, or does not want to hear of it.
    kRemoving,
    kDone,
  };

  // Of a fresh assignment. `grace`: between asking it to end and ending it by force.
  Attempt(v1::Assignment assignment, absl::Duration grace);
  // Of infrastructure that the server handed over.
  Attempt(v1::Adoption adoption, absl::Duration grace);
  // Of infrastructure that nobody wants.
  explicit Attempt(std::string infrastructure_name);

  // The first actions; once.
  Actions Begin();

  // What became of kLaunch.
  Actions Launched(const absl::StatusOr<Observation>& result);
  // What became of kGo.
  Actions Went(const absl::Status& result);
  // kLaunch or kGo was not carried out because the lease does not hold.
  void Fenced() { fenced_ = true; }
  Actions LeaseRenewed();
  // NOT_FOUND: it is gone.
  Actions Seen(const absl::StatusOr<Observation>& result);
  // All lines below `next` have arrived; `exhausted`: after a kFollowLog with `final`, there are no
  // more.
  Actions LogArrived(int64_t next, bool exhausted);
  Actions Answered(const v1::AttemptReport& report, const v1::ReportResult& result);
  // By the server, or (STOP_REASON_UNSPECIFIED) because the worker ends.
  // `grace`: between asking it to end and ending it by force, instead of the pool's; a repeat with
  // a shorter one shortens it.
  Actions Stop(v1::StopReason reason, std::optional<absl::Duration> grace = std::nullopt);
  Actions Removed();

  const std::string& name() const { return name_; }
  const v1::AttemptRef& ref() const { return assignment_.attempt(); }
  const v1::Assignment& assignment() const { return assignment_; }
  Step step() const { return step_; }
  // Whether the server counts it as this worker's.
  bool held() const { return step_ < Step::kRemoving; }

 private:
  Actions Prepared(const Observation& seen);
  Actions PassGate(const Observation& seen);
  Actions Go();
  Actions LaunchAgain();
  Actions Ended(const Observation& seen);
  Actions FailLaunch(const absl::Status& error);
  // The last report; nothing began.
  Actions EndUnbegun(const std::string& message);
  Actions EndReport();
  // The last report, or nothing when its answer came.
  Actions Terminal(v1::AttemptReport report);
  Actions AnsweredLast(v1::ReportVerdict verdict);
  Actions Supersede();
  Actions Remove();
  v1::AttemptReport Report() const;

  const std::string name_;
  v1::Assignment assignment_;
  absl::Duration grace_;
  Step step_;
  bool gate_passed_ = false;
  bool stop_wanted_ = false;
  bool superseded_ = false;
  bool fenced_ = false;
  int64_t log_arrived_ = 0;
  Observation end_;
};

}  // namespace forebay::worker
