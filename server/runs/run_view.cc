#include "server/runs/run_view.h"

#include <algorithm>

#include "common/base/status.h"
#include "server/db/queries.h"
#include "server/runs/history.h"
#include "server/runs/run_row.h"
#include "server/runs/standing.h"
#include "server/runs/waiting.h"

namespace forebay::server {
namespace {

// The waiting reason, and the name of a state that follows from it.
absl::Status AddWaiting(Session& session, const RunRow& row, v1::FlowRun& run) {
  ASSIGN_OR_RETURN(v1::Waiting waiting, WhyItWaits(session, row));
  if (waiting.cause() == v1::WAITING_CAUSE_UNSPECIFIED) return absl::OkStatus();
  run.set_waiting_reason(waiting.message());
  switch (waiting.cause()) {
    case v1::WAITING_CAUSE_POOL_LIMIT:
    case v1::WAITING_CAUSE_QUEUE_LIMIT:
    case v1::WAITING_CAUSE_DEPLOYMENT_LIMIT:
    case v1::WAITING_CAUSE_NAMED_LIMIT:
    case v1::WAITING_CAUSE_RATE_LIMIT:
      run.mutable_state()->set_name("AwaitingConcurrencySlot");
      break;
    default:
      break;
  }
  *run.mutable_waiting() = std::move(waiting);
  return absl::OkStatus();
}

bool OnlyWaiting(const RunFilter& filter) {
  return !filter.states.empty() &&
         std::all_of(filter.states.begin(), filter.states.end(), [](v1::StateType state) {
           return state == v1::STATE_TYPE_SCHEDULED || state == v1::STATE_TYPE_PAUSED;
         });
}

absl::Status AddHistory(Session& session, const Uuid& id, const RunRow& row, v1::FlowRun& run) {
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kReadAttempts, Args().Id(id)));
  // What has ended since the run's own row was read belongs to a later answer.
  int ended = run.attempt_count();
  if (row.held.has_value()) ended = row.held->attempt - 1;
  for (size_t i = 0; i < rows.size(); ++i) {
    v1::Attempt attempt = ReadEndedAttempt(rows, i);
    if (attempt.number() <= ended) *run.add_attempts() = std::move(attempt);
  }
  if (row.held.has_value()) *run.add_attempts() = LiveAttempt(*row.held);
  AddStates(run);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::FlowRun> ReadRun(Session& session, const Uuid& team, const Uuid& id,
                                    v1::RunView view) {
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kReadRun, Args().Id(id).Id(team)));
  if (rows.empty()) return RunNotFound(id);
  RunRow row = ReadRunRow(rows, 0);
  v1::FlowRun run = std::move(row.run);
  RETURN_IF_ERROR(AddWaiting(session, row, run));
  if (view == v1::RUN_VIEW_FULL) RETURN_IF_ERROR(AddHistory(session, id, row, run));
  return run;
}

absl::StatusOr<std::vector<v1::FlowRun>> ReadRuns(Session& session, const Uuid& team,
                                                  const std::vector<Uuid>& ids) {
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kReadRuns, Args().Array(IdArray(ids)).Id(team)));
  std::vector<v1::FlowRun> runs;
  for (size_t row = 0; row < rows.size(); ++row) runs.push_back(ReadRunRow(rows, row).run);
  return runs;
}

absl::StatusOr<std::vector<v1::FlowRun>> ListRuns(Session& session, const Uuid& team,
                                                  const RunFilter& filter, int limit) {
  Args args;
  args.Id(team);
  for (const auto& id : {filter.before, filter.deployment, filter.pool, filter.queue})
    id.has_value() ? args.Id(*id) : args.Null();
  filter.flow.empty() ? args.Null() : args.Text(filter.flow);
  filter.tags.empty() ? args.Null() : args.Array(TextArray(filter.tags));
  for (const auto& time : {filter.made_from, filter.made_before})
    time.has_value() ? args.Time(*time) : args.Null();
  std::vector<std::string> states;
  for (const v1::StateType state : filter.states) states.emplace_back(StateNameOf(state));
  if (filter.late && states.empty()) states.emplace_back("SCHEDULED");
  states.empty() ? args.Null() : args.Array(TextArray(states));
  args.Int(limit);
  const bool waiting = filter.late || OnlyWaiting(filter);
  if (waiting) args.Bool(filter.late);
  ASSIGN_OR_RETURN(Rows rows,
                   session.Run(waiting ? queries::kListWaitingRuns : queries::kListRuns, args));
  std::vector<v1::FlowRun> runs;
  for (size_t row = 0; row < rows.size(); ++row) runs.push_back(ReadRunRow(rows, row).run);
  return runs;
}

}  // namespace forebay::server
