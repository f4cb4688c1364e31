#include "worker/supervise/attempt.h"

#include <algorithm>
#include <utility>

#include "common/base/status.h"
#include "worker/launch/attempt_name.h"
#include "worker/report/timestamp.h"

namespace forebay::worker {

namespace {

using Kind = Action::Kind;

Action Do(Kind kind) {
  Action action;
  action.kind = kind;
  return action;
}

Action SayReport(v1::AttemptReport report) {
  Action action = Do(Kind::kReport);
  action.report = std::move(report);
  return action;
}

Action StopWithin(absl::Duration grace) {
  Action action = Do(Kind::kStop);
  action.grace = grace;
  return action;
}

Action FollowLogFrom(int64_t sequence, bool final) {
  Action action = Do(Kind::kFollowLog);
  action.sequence = sequence;
  action.final = final;
  return action;
}

void FillUsage(const ExitRecord& end, v1::Usage& usage) {
  const auto put = [&usage](const std::optional<int64_t>& figure, auto set) {
    if (figure.has_value()) (usage.*set)(*figure);
  };
  put(end.cpu_user_micros, &v1::Usage::set_cpu_user_micros);
  put(end.cpu_system_micros, &v1::Usage::set_cpu_system_micros);
  put(end.max_rss_bytes, &v1::Usage::set_max_rss_bytes);
  put(end.cpu_micros, &v1::Usage::set_cpu_micros);
  put(end.cpu_reserved_micros, &v1::Usage::set_cpu_reserved_micros);
  put(end.memory_reserved_byte_seconds, &v1::Usage::set_memory_reserved_byte_seconds);
}

void FillExited(const Observation& end, v1::Exited& exited) {
  if (end.exit.exit_code.has_value()) exited.set_exit_code(*end.exit.exit_code);
  exited.set_signal(end.exit.signal);
  exited.set_reason(end.exit.reason);
  exited.set_message(end.exit.message);
  FillUsage(end.exit, *exited.mutable_usage());
  exited.set_log_lines(end.log_lines);
}

// What is known of infrastructure that is gone without a record.
Observation Vanished(int64_t log_lines) {
  Observation lost;
  lost.stage = Stage::kLost;
  lost.exit.reason = "HOLDER_LOST";
  lost.exit.message = "the infrastructure of the run is gone";
  lost.log_lines = log_lines;
  return lost;
}

}  // namespace

Attempt::Attempt(v1::Assignment assignment, absl::Duration grace)
    : name_(NameOf(assignment.attempt())),
      assignment_(std::move(assignment)),
      grace_(grace),
      step_(Step::kLaunching) {}

Attempt::Attempt(v1::Adoption adoption, absl::Duration grace)
    : name_(NameOf(adoption.assignment().attempt())),
      assignment_(std::move(*adoption.mutable_assignment())),
      grace_(grace),
      step_(Step::kFound),
      gate_passed_(adoption.gate_passed()),
      stop_wanted_(adoption.stop_reason() != v1::STOP_REASON_UNSPECIFIED),
      log_arrived_(adoption.next_log_sequence()) {}

Attempt::Attempt(std::string infrastructure_name)
    : name_(std::move(infrastructure_name)), step_(Step::kRemoving), superseded_(true) {}

v1::AttemptReport Attempt::Report() const {
  v1::AttemptReport report;
  *report.mutable_attempt() = ref();
  return report;
}

Actions Attempt::Begin() {
  if (step_ == Step::kRemoving) return {Do(Kind::kRemove)};
  if (step_ == Step::kFound) {
    Actions actions = {FollowLogFrom(log_arrived_, false), Do(Kind::kObserve)};
    if (stop_wanted_) actions.push_back(StopWithin(grace_));
    return actions;
  }
  v1::AttemptReport launching = Report();
  launching.mutable_launching()->set_infrastructure_name(name_);
  return {SayReport(std::move(launching)), Do(Kind::kLaunch)};
}

Actions Attempt::Launched(const absl::StatusOr<Observation>& result) {
  if (superseded_ && step_ == Step::kLaunching) return Remove();
  if (step_ != Step::kLaunching) return {};
  if (!result.ok()) return FailLaunch(result.status());
  if (result->stage == Stage::kWaiting) return Prepared(*result);
  if (result->stage != Stage::kPreparing) return Seen(result);
  step_ = Step::kPreparing;
  Actions actions = {FollowLogFrom(log_arrived_, false)};
  if (stop_wanted_) actions.push_back(StopWithin(grace_));
  return actions;
}

Actions Attempt::Prepared(const Observation& seen) {
  if (!stop_wanted_) return PassGate(seen);
  step_ = Step::kGate;
  return {StopWithin(grace_)};
}

Actions Attempt::FailLaunch(const absl::Status& error) {
  if (stop_wanted_) return EndUnbegun("stopped before user code began");
  v1::AttemptReport report = Report();
  v1::LaunchFailed& failed = *report.mutable_launch_failed();
  const std::string reason = ReasonOf(error);
  failed.set_reason(reason.empty() ? "INFRASTRUCTURE_UNAVAILABLE" : reason);
  failed.set_message(std::string(MessageOf(error)));
  failed.set_retryable(error.code() == absl::StatusCode::kUnavailable);
  return Terminal(std::move(report));
}

Actions Attempt::PassGate(const Observation& seen) {
  step_ = Step::kGate;
  v1::AttemptReport launched = Report();
  launched.mutable_launched()->set_infrastructure_id(seen.infrastructure_id);
  // What runs an entrypoint passes the gate itself.
  if (!assignment_.entrypoint().empty()) {
    Actions actions = Go();
    actions.insert(actions.begin(), SayReport(std::move(launched)));
    return actions;
  }
  v1::AttemptReport gate = Report();
  gate.mutable_gate()->set_launch_ticket(assignment_.launch_ticket());
  return {SayReport(std::move(launched)), SayReport(std::move(gate))};
}

Actions Attempt::Go() {
  step_ = Step::kGo;
  gate_passed_ = true;
  return {Do(Kind::kGo)};
}

Actions Attempt::Went(const absl::Status& result) {
  if (step_ != Step::kGo) return {};
  // Whether it is gone or only slow to answer is for the launcher to see.
  if (!result.ok()) return {Do(Kind::kObserve)};
  step_ = Step::kRunning;
  return {FollowLogFrom(log_arrived_, false)};
}

Actions Attempt::LeaseRenewed() {
  if (!std::exchange(fenced_, false)) return {};
  if (step_ == Step::kLaunching) return {Do(Kind::kLaunch)};
  if (step_ == Step::kGo) return {Do(Kind::kGo)};
  return {};
}

Actions Attempt::Seen(const absl::StatusOr<Observation>& result) {
  if (step_ >= Step::kDraining) return {};
  if (!result.ok()) {
    // Before it is launched there is nothing to see; other errors pass.
    const bool gone = absl::IsNotFound(result.status()) && step_ != Step::kLaunching;
    return gone ? Ended(Vanished(log_arrived_)) : Actions();
  }
  switch (result->stage) {
    case Stage::kExited:
    case Stage::kLost:
      return Ended(*result);
    case Stage::kStarted:
      if (step_ == Step::kRunning) return {};
      step_ = Step::kRunning;
      return {FollowLogFrom(log_arrived_, false)};
    case Stage::kPreparing:
      return step_ == Step::kFound && !stop_wanted_ ? LaunchAgain() : Actions();
    case Stage::kWaiting:
      break;
  }
  if (step_ == Step::kPreparing) return Prepared(*result);
  if (step_ == Step::kGo && !fenced_ && !stop_wanted_) return {Do(Kind::kGo)};
  if (step_ != Step::kFound || stop_wanted_) return {};
  return gate_passed_ ? Go() : LaunchAgain();
}

Actions Attempt::LaunchAgain() {
  step_ = Step::kLaunching;
  return {Do(Kind::kLaunch)};
}

Actions Attempt::Ended(const Observation& seen) {
  end_ = seen;
  step_ = Step::kDraining;
  if (log_arrived_ >= end_.log_lines) return EndReport();
  return {FollowLogFrom(log_arrived_, true)};
}

Actions Attempt::LogArrived(int64_t next, bool exhausted) {
  log_arrived_ = next;
  if (step_ != Step::kDraining) return {};
  // Output that cannot be read any more shall not keep the end from being known.
  if (exhausted) end_.log_lines = std::min(end_.log_lines, next);
  return log_arrived_ >= end_.log_lines ? EndReport() : Actions();
}

Actions Attempt::EndReport() {
  v1::AttemptReport report = Report();
  if (end_.exit.launch_failure.empty()) {
    FillExited(end_, *report.mutable_exited());
  } else {
    report.mutable_launch_failed()->set_reason(end_.exit.launch_failure);
    report.mutable_launch_failed()->set_message(end_.exit.message);
    report.mutable_launch_failed()->set_retryable(end_.exit.launch_retryable);
  }
  return Terminal(std::move(report));
}

Actions Attempt::EndUnbegun(const std::string& message) {
  end_.exit.reason = "NEVER_STARTED";
  end_.exit.message = message;
  return EndReport();
}

Actions Attempt::Terminal(v1::AttemptReport report) {
  step_ = Step::kReporting;
  return {SayReport(std::move(report))};
}

Actions Attempt::Answered(const v1::AttemptReport& report, const v1::ReportResult& result) {
  if (report.attempt().epoch() != ref().epoch() || !held()) return {};
  if (report.has_exited() || report.has_launch_failed()) return AnsweredLast(result.verdict());
  switch (result.verdict()) {
    case v1::REPORT_VERDICT_STALE:
      return Supersede();
    case v1::REPORT_VERDICT_STOP:
      return Stop(result.stop_reason(), StopGraceOf(result));
    case v1::REPORT_VERDICT_ACCEPTED:
      return report.has_gate() && step_ == Step::kGate && !stop_wanted_ ? Go() : Actions();
    default:
      return {};
  }
}

Actions Attempt::AnsweredLast(v1::ReportVerdict verdict) {
  if (step_ != Step::kReporting) return {};
  if (verdict != v1::REPORT_VERDICT_LOGS_MISSING) return Remove();
  // The server lost lines that it had taken: it says where to go on when the next ones are sent.
  step_ = Step::kDraining;
  return {FollowLogFrom(0, true)};
}

Actions Attempt::Stop(v1::StopReason reason, std::optional<absl::Duration> grace) {
  if (reason == v1::STOP_REASON_SUPERSEDED || reason == v1::STOP_REASON_START_DEADLINE) {
    return Supersede();
  }
  if (step_ >= Step::kDraining) return {};
  // Who asks again can only have it end sooner.
  const bool again = std::exchange(stop_wanted_, true);
  if (again && grace.value_or(grace_) >= grace_) return {};
  grace_ = grace.value_or(grace_);
  if (step_ != Step::kLaunching) return {StopWithin(grace_)};
  // A launch that is under way is stopped when it is done.
  return fenced_ ? EndUnbegun("stopped before anything was launched") : Actions();
}

Actions Attempt::Supersede() {
  if (!held()) return {};
  superseded_ = true;
  if (step_ == Step::kLaunching && !fenced_) return {};
  return Remove();
}

Actions Attempt::Remove() {
  step_ = Step::kRemoving;
  return {Do(Kind::kRemove)};
}

Actions Attempt::Removed() {
  if (step_ != Step::kRemoving) return {};
  step_ = Step::kDone;
  return {Do(Kind::kFinish)};
}

}  // namespace forebay::worker
