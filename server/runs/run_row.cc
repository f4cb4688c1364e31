#include "server/runs/run_row.h"

#include <algorithm>
#include <array>

#include "server/api/messages.h"
#include "server/runs/held_attempt.h"

namespace forebay::server {
namespace {

struct StateWord {
  v1::StateType type;
  // As the database and the filters say it, and as people read it.
  std::string_view upper;
  std::string_view name;
};
constexpr std::array kStates = {StateWord{v1::STATE_TYPE_SCHEDULED, "SCHEDULED", "Scheduled"},
                                StateWord{v1::STATE_TYPE_PENDING, "PENDING", "Pending"},
                                StateWord{v1::STATE_TYPE_RUNNING, "RUNNING", "Running"},
                                StateWord{v1::STATE_TYPE_PAUSED, "PAUSED", "Paused"},
                                StateWord{v1::STATE_TYPE_CANCELLING, "CANCELLING", "Cancelling"},
                                StateWord{v1::STATE_TYPE_COMPLETED, "COMPLETED", "Completed"},
                                StateWord{v1::STATE_TYPE_FAILED, "FAILED", "Failed"},
                                StateWord{v1::STATE_TYPE_CANCELLED, "CANCELLED", "Cancelled"},
                                StateWord{v1::STATE_TYPE_CRASHED, "CRASHED", "Crashed"}};

// A run's version grows with all that happens to it: attempt by attempt, and within one by where it
// stands.
constexpr int kVersionsAnAttempt = 1 << 16;
constexpr int kMostQueuedVersions = 1 << 15;
int64_t VersionOf(int attempt, int step) { return int64_t{attempt} * kVersionsAnAttempt + step; }

std::string_view NameOfQueued(const QueuedPart& queued) {
  if (queued.paused) return queued.reason == "SUSPENDED" ? "Suspended" : "Paused";
  if (queued.attempt > 1) return queued.reason == "RESUMED" ? "Resuming" : "AwaitingRetry";
  return queued.late ? "Late" : "Scheduled";
}

void SetState(v1::State& state, v1::StateType type, absl::Time time, int attempt) {
  state.set_type(type);
  state.set_name(StateWordOf(type));
  state.set_attempt(attempt);
  ToProto(time, *state.mutable_time());
}

std::optional<QueuedPart> ReadQueued(const Rows& rows, size_t row) {
  if (rows.IsNull(row, 20)) return std::nullopt;
  QueuedPart queued;
  queued.attempt = static_cast<int>(rows.Int(row, 20));
  queued.reason = rows.Text(row, 21);
  queued.message = rows.Text(row, 22);
  queued.queued_at = rows.Time(row, 23);
  queued.due_at = rows.Time(row, 24);
  queued.not_due = rows.Bool(row, 25);
  queued.paused = rows.Bool(row, 44);
  queued.changes = static_cast<int>(rows.Int(row, 45));
  queued.gated = rows.Bool(row, 46);
  queued.late = rows.Bool(row, 47);
  return queued;
}

std::optional<HeldPart> ReadHeld(const Rows& rows, size_t row) {
  if (rows.IsNull(row, 26)) return std::nullopt;
  HeldPart held;
  held.attempt = static_cast<int>(rows.Int(row, 26));
  held.phase = static_cast<int>(rows.Int(row, 27));
  held.granted_at = rows.Time(row, 28);
  held.started_at = rows.OptionalTime(row, 29);
  held.cancel_requested_at = rows.OptionalTime(row, 30);
  held.worker = rows.Text(row, 31);
  held.infrastructure_name = rows.Text(row, 32);
  held.infrastructure_id = rows.Text(row, 33);
  held.epoch = rows.Int(row, 34);
  held.launched_at = rows.OptionalTime(row, 35);
  held.orphaned = rows.Bool(row, 36);
  held.alone = rows.Bool(row, 53);
  held.worker_name = rows.Text(row, 43);
  held.stop = ReadStop(rows, row, 48);
  held.start_deadline = rows.Time(row, 49);
  return held;
}

void SetFinished(const Rows& rows, size_t row, v1::FlowRun& run) {
  const auto attempts = static_cast<int>(rows.Int(row, 17));
  SetState(*run.mutable_state(), StateTypeOf(rows.Text(row, 13)), rows.Time(row, 19), attempts);
  run.mutable_state()->set_reason(std::string(rows.Text(row, 14)));
  run.mutable_state()->set_message(std::string(rows.Text(row, 15)));
  if (const auto code = rows.OptionalInt(row, 16)) run.set_exit_code(static_cast<int>(*code));
  run.set_attempt_count(attempts);
  SetTime(rows.OptionalTime(row, 18), [&] { return run.mutable_start_time(); });
  SetTime(rows.OptionalTime(row, 19), [&] { return run.mutable_end_time(); });
  if (run.state().reason() == "TIMED_OUT") run.mutable_state()->set_name("TimedOut");
  run.set_version(VersionOf(attempts, kVersionsAnAttempt + kVersionsAnAttempt - 1));
}

}  // namespace

void SetNames(const RunNames& names, v1::FlowRun& run) {
  run.set_team(names.team);
  run.set_flow(names.flow);
  run.set_deployment("teams/" + names.team + "/flows/" + names.flow + "/deployments/" +
                     names.deployment);
  run.set_work_pool("workPools/" + names.pool);
  run.set_work_queue("workPools/" + names.pool + "/queues/" + names.queue);
}

void SetQueued(const QueuedPart& queued, v1::FlowRun& run) {
  SetState(*run.mutable_state(), queued.paused ? v1::STATE_TYPE_PAUSED : v1::STATE_TYPE_SCHEDULED,
           queued.queued_at, queued.attempt - 1);
  run.mutable_state()->set_name(std::string(NameOfQueued(queued)));
  run.mutable_state()->set_reason(queued.reason);
  run.mutable_state()->set_message(queued.message);
  run.set_attempt_count(queued.attempt - 1);
  run.set_version(VersionOf(queued.attempt, std::min(queued.changes, kMostQueuedVersions)));
}

void SetHeld(const HeldPart& held, v1::FlowRun& run) {
  v1::State& state = *run.mutable_state();
  if (held.stop == Stop::kCancel) {
    SetState(state, v1::STATE_TYPE_CANCELLING,
             held.cancel_requested_at.value_or(absl::InfinitePast()), held.attempt);
    state.set_reason("CANCEL_REQUESTED");
  } else if (held.started_at.has_value()) {
    SetState(state, v1::STATE_TYPE_RUNNING, *held.started_at, held.attempt);
    if (held.alone) {
      state.set_message("runs where it was started by hand: " + held.infrastructure_id);
    } else if (held.orphaned) {
      state.set_message("its worker is silent; waiting for another to adopt it");
    }
  } else {
    SetState(state, v1::STATE_TYPE_PENDING, held.granted_at, held.attempt);
    if (held.phase > 0) state.set_name("Submitting");
  }
  if (held.stop == Stop::kSuspend) state.set_name("Suspending");
  if (held.stop == Stop::kTimeout) state.set_name("TimingOut");
  SetTime(held.started_at, [&] { return run.mutable_start_time(); });
  run.set_attempt_count(held.attempt);
  run.set_version(VersionOf(held.attempt, kMostQueuedVersions + 1 + held.phase +
                                              8 * static_cast<int>(held.stop != Stop::kNone) +
                                              16 * static_cast<int>(held.stop == Stop::kCancel)));
}

v1::StateType StateTypeOf(std::string_view name) {
  for (const StateWord& word : kStates) {
    if (word.upper == name) return word.type;
  }
  return v1::STATE_TYPE_UNSPECIFIED;
}

std::string_view StateNameOf(v1::StateType type) {
  for (const StateWord& word : kStates) {
    if (word.type == type) return word.upper;
  }
  return "";
}

std::string StateWordOf(v1::StateType type) {
  for (const StateWord& word : kStates) {
    if (word.type == type) return std::string(word.name);
  }
  return "";
}

v1::Attempt LiveAttempt(const HeldPart& held) {
  v1::Attempt attempt;
  attempt.set_number(held.attempt);
  attempt.set_epoch(held.epoch);
  attempt.set_worker("workers/" + held.worker);
  attempt.set_worker_name(held.worker_name);
  attempt.set_infrastructure_name(held.infrastructure_name);
  attempt.set_infrastructure_id(held.infrastructure_id);
  ToProto(held.granted_at, *attempt.mutable_grant_time());
  SetTime(held.launched_at, [&] { return attempt.mutable_launch_time(); });
  SetTime(held.started_at, [&] { return attempt.mutable_start_time(); });
  SetTime(held.cancel_requested_at, [&] { return attempt.mutable_cancel_request_time(); });
  return attempt;
}

RunRow ReadRunRow(const Rows& rows, size_t row) {
  RunRow read;
  v1::FlowRun& run = read.run;
  const auto text = [&](int column) { return std::string(rows.Text(row, column)); };
  run.set_name("flowRuns/" + text(0));
  run.set_display_name(text(1));
  SetNames({text(2), text(3), text(4), text(5), text(6)}, run);
  run.set_parameters(text(7));
  run.set_job_variables(text(8));
  for (const std::string& tag : rows.TextArray(row, 9)) run.add_tags(tag);
  ToProto(rows.Time(row, 10), *run.mutable_due_time());
  ToProto(rows.Time(row, 11), *run.mutable_create_time());
  run.set_creator(text(12));
  read.queued = ReadQueued(rows, row);
  read.held = ReadHeld(rows, row);
  if (!rows.IsNull(row, 13)) SetFinished(rows, row, run);
  if (read.queued.has_value()) SetQueued(*read.queued, run);
  if (read.held.has_value()) SetHeld(*read.held, run);
  read.pool_paused = rows.Bool(row, 37);
  read.queue_paused = rows.Bool(row, 38);
  read.deployment_paused = rows.Bool(row, 39);
  read.quarantine_reason = text(40);
  read.pool = rows.Id(row, 41);
  read.queue = rows.Id(row, 42);
  read.deployment = rows.Id(row, 50);
  if (!rows.IsNull(row, 51)) run.set_retry_of("flowRuns/" + text(51));
  if (!rows.IsNull(row, 52)) run.set_schedule(run.deployment() + "/schedules/" + text(52));
  return read;
}

}  // namespace forebay::server
