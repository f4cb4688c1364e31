#include "server/runs/history.h"

#include "server/api/messages.h"
#include "server/runs/run_row.h"

namespace forebay::server {
namespace {

v1::State Step(v1::StateType type, std::string_view name, const google::protobuf::Timestamp& time,
               int attempt) {
  v1::State state;
  state.set_type(type);
  state.set_name(std::string(name));
  state.set_attempt(attempt);
  *state.mutable_time() = time;
  return state;
}

void AddAttempt(const v1::Attempt& attempt, v1::FlowRun& run) {
  const int number = attempt.number();
  *run.add_states() = Step(v1::STATE_TYPE_PENDING, "Pending", attempt.grant_time(), number);
  if (attempt.has_start_time()) {
    *run.add_states() = Step(v1::STATE_TYPE_RUNNING, "Running", attempt.start_time(), number);
  }
  if (attempt.has_cancel_request_time()) {
    *run.add_states() =
        Step(v1::STATE_TYPE_CANCELLING, "Cancelling", attempt.cancel_request_time(), number);
  }
}

}  // namespace

v1::Attempt ReadEndedAttempt(const Rows& rows, size_t row) {
  v1::Attempt attempt;
  attempt.set_number(static_cast<int>(rows.Int(row, 0)));
  attempt.set_epoch(rows.Int(row, 1));
  attempt.set_worker("workers/" + std::string(rows.Text(row, 2)));
  attempt.set_worker_name(std::string(rows.Text(row, 3)));
  attempt.set_infrastructure_name(std::string(rows.Text(row, 4)));
  attempt.set_infrastructure_id(std::string(rows.Text(row, 5)));
  SetTime(rows.OptionalTime(row, 6), [&] { return attempt.mutable_grant_time(); });
  SetTime(rows.OptionalTime(row, 7), [&] { return attempt.mutable_launch_time(); });
  SetTime(rows.OptionalTime(row, 8), [&] { return attempt.mutable_start_time(); });
  SetTime(rows.OptionalTime(row, 9), [&] { return attempt.mutable_cancel_request_time(); });
  SetTime(rows.OptionalTime(row, 10), [&] { return attempt.mutable_end_time(); });
  v1::State& outcome = *attempt.mutable_outcome();
  const std::string_view name = rows.Text(row, 11);
  // LOST is the protocol's word: for the run the step is that it crashed before it began.
  outcome.set_type(name == "LOST" ? v1::STATE_TYPE_CRASHED : StateTypeOf(name));
  outcome.set_name(name == "LOST" ? "Lost" : StateWordOf(outcome.type()));
  outcome.set_reason(std::string(rows.Text(row, 12)));
  outcome.set_message(std::string(rows.Text(row, 13)));
  outcome.set_attempt(attempt.number());
  *outcome.mutable_time() = attempt.end_time();
  if (const auto code = rows.OptionalInt(row, 14)) attempt.set_exit_code(static_cast<int>(*code));
  if (!rows.IsNull(row, 15)) {
    attempt.mutable_usage()->set_cpu_user_micros(rows.Int(row, 15));
    attempt.mutable_usage()->set_cpu_system_micros(rows.Int(row, 16));
    attempt.mutable_usage()->set_max_rss_bytes(rows.Int(row, 17));
  }
  return attempt;
}

void AddStates(v1::FlowRun& run) {
  *run.add_states() = Step(v1::STATE_TYPE_SCHEDULED, "Scheduled", run.create_time(), 0);
  for (int i = 0; i < run.attempts_size(); ++i) {
    const v1::Attempt& attempt = run.attempts(i);
    AddAttempt(attempt, run);
    const bool last = i + 1 == run.attempts_size();
    const bool retried =
        attempt.has_outcome() && (!last || run.state().type() == v1::STATE_TYPE_SCHEDULED);
    if (!retried) continue;
    v1::State again =
        Step(v1::STATE_TYPE_SCHEDULED, "AwaitingRetry", attempt.end_time(), attempt.number());
    again.set_reason(attempt.outcome().reason());
    again.set_message(attempt.outcome().message());
    *run.add_states() = std::move(again);
  }
  if (run.has_end_time()) *run.add_states() = run.state();
}

}  // namespace forebay::server
