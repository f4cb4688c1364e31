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

// An attempt that is over says by its outcome why it was stopped, a live one by the run's state.
std::string_view NameOfStop(const v1::Attempt& attempt, const v1::State& now) {
  const v1::State& said = attempt.has_outcome() ? attempt.outcome() : now;
  if (said.name() == "Suspended" || said.name() == "Suspending") return "Suspending";
  if (said.reason() == "TIMED_OUT" || said.name() == "TimingOut") return "TimingOut";
  return "Cancelling";
}

void AddAttempt(const v1::Attempt& attempt, v1::FlowRun& run) {
  const int number = attempt.number();
  *run.add_states() = Step(v1::STATE_TYPE_PENDING, "Pending", attempt.grant_time(), number);
  if (attempt.has_start_time()) {
    *run.add_states() = Step(v1::STATE_TYPE_RUNNING, "Running", attempt.start_time(), number);
  }
  if (attempt.has_cancel_request_time()) {
    const std::string_view name = NameOfStop(attempt, run.state());
    *run.add_states() =
        Step(name == "Cancelling" ? v1::STATE_TYPE_CANCELLING : v1::STATE_TYPE_RUNNING, name,
             attempt.cancel_request_time(), number);
  }
}

// What follows an attempt that was not the last.
v1::State AfterAttempt(const v1::Attempt& attempt) {
  const bool suspended = attempt.outcome().name() == "Suspended";
  v1::State state =
      Step(suspended ? v1::STATE_TYPE_PAUSED : v1::STATE_TYPE_SCHEDULED,
           suspended ? "Suspended" : "AwaitingRetry", attempt.end_time(), attempt.number());
  state.set_reason(attempt.outcome().reason());
  state.set_message(attempt.outcome().message());
  return state;
}

// A run that waits says by its own state what was done to it since: paused, resumed.
void AddPresent(v1::FlowRun& run) {
  const v1::State& last = run.states(run.states_size() - 1);
  const v1::State& now = run.state();
  const bool waiting =
      now.type() == v1::STATE_TYPE_SCHEDULED || now.type() == v1::STATE_TYPE_PAUSED;
  const bool asked = now.reason() == "PAUSED" || now.reason() == "RESUMED";
  if (waiting && asked && last.name() != now.name()) *run.add_states() = now;
}

// LOST is the protocol's word: for the run the step is that it crashed before it began.
v1::StateType OutcomeType(std::string_view name) {
  if (name == "LOST") return v1::STATE_TYPE_CRASHED;
  return name == "SUSPENDED" ? v1::STATE_TYPE_PAUSED : StateTypeOf(name);
}

std::string OutcomeWord(std::string_view name, v1::StateType type, std::string_view reason) {
  if (name == "LOST") return "Lost";
  if (name == "SUSPENDED") return "Suspended";
  return reason == "TIMED_OUT" ? "TimedOut" : StateWordOf(type);
}

// Six columns from 15 on.
void ReadUsage(const Rows& rows, size_t row, v1::Attempt& attempt) {
  const auto put = [&](int column, auto set) {
    const auto figure = rows.OptionalInt(row, column);
    if (figure.has_value()) (attempt.mutable_usage()->*set)(*figure);
  };
  put(15, &v1::Usage::set_cpu_user_micros);
  put(16, &v1::Usage::set_cpu_system_micros);
  put(17, &v1::Usage::set_max_rss_bytes);
  put(18, &v1::Usage::set_cpu_micros);
  put(19, &v1::Usage::set_cpu_reserved_micros);
  put(20, &v1::Usage::set_memory_reserved_byte_seconds);
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
  outcome.set_type(OutcomeType(name));
  outcome.set_name(OutcomeWord(name, outcome.type(), rows.Text(row, 12)));
  outcome.set_reason(std::string(rows.Text(row, 12)));
  outcome.set_message(std::string(rows.Text(row, 13)));
  outcome.set_attempt(attempt.number());
  *outcome.mutable_time() = attempt.end_time();
  if (const auto code = rows.OptionalInt(row, 14)) attempt.set_exit_code(static_cast<int>(*code));
  ReadUsage(rows, row, attempt);
  return attempt;
}

void AddStates(v1::FlowRun& run) {
  *run.add_states() = Step(v1::STATE_TYPE_SCHEDULED, "Scheduled", run.create_time(), 0);
  for (int i = 0; i < run.attempts_size(); ++i) {
    const v1::Attempt& attempt = run.attempts(i);
    AddAttempt(attempt, run);
    const bool last = i + 1 == run.attempts_size();
    const bool waits_again = run.state().type() == v1::STATE_TYPE_SCHEDULED ||
                             run.state().type() == v1::STATE_TYPE_PAUSED;
    if (attempt.has_outcome() && (!last || waits_again)) *run.add_states() = AfterAttempt(attempt);
  }
  run.has_end_time() ? void(*run.add_states() = run.state()) : AddPresent(run);
}

}  // namespace forebay::server
