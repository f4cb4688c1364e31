#include "server/runs/run_view.h"

#include "common/base/status.h"
#include "server/api/messages.h"
#include "server/db/queries.h"
#include "server/runs/cancel.h"
#include "server/runs/history.h"
#include "server/runs/run_row.h"

namespace forebay::server {
namespace {

std::string LimitReason(std::string_view scope, int64_t limit) {
  return fmt::format("the {}'s limit of {} attempts at once is reached", scope, limit);
}

// Why a waiting run waits; the first cause in the order in which an operator would look.
absl::StatusOr<std::string> WaitingReason(Session& session, const RunRow& row) {
  const QueuedPart& queued = *row.queued;
  if (!row.quarantine_reason.empty())
    return "its deployment is quarantined: " + row.quarantine_reason;
  if (row.deployment_paused) return std::string("its deployment is paused");
  if (row.pool_paused) return std::string("its work pool is paused");
  if (row.queue_paused) return std::string("its work queue is paused");
  if (queued.not_due) return "it is due at " + absl::FormatTime(queued.due_at, absl::UTCTimeZone());
  ASSIGN_OR_RETURN(Rows rows,
                   session.Run(queries::kWaitingFacts, Args().Id(row.pool).Id(row.queue)));
  if (rows.empty()) return std::string();
  if (rows.Int(0, 4) == 0) return std::string("no worker of its pool is online");
  if (rows.Int(0, 5) == 0) return std::string("no online worker of its pool serves its queue");
  if (!rows.IsNull(0, 0) && rows.Int(0, 1) >= rows.Int(0, 0))
    return LimitReason("pool", rows.Int(0, 0));
  if (!rows.IsNull(0, 2) && rows.Int(0, 3) >= rows.Int(0, 2))
    return LimitReason("queue", rows.Int(0, 2));
  return std::string("all slots of its workers are taken, or runs ahead of it go first");
}

absl::Status AddHistory(Session& session, const Uuid& id, const RunRow& row, v1::FlowRun& run) {
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kReadAttempts, Args().Id(id)));
  for (size_t i = 0; i < rows.size(); ++i) *run.add_attempts() = ReadEndedAttempt(rows, i);
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
  if (row.queued.has_value()) {
    ASSIGN_OR_RETURN(*run.mutable_waiting_reason(), WaitingReason(session, row));
  }
  if (view == v1::RUN_VIEW_FULL) RETURN_IF_ERROR(AddHistory(session, id, row, run));
  return run;
}

absl::StatusOr<std::vector<v1::FlowRun>> ListRuns(Session& session, const Uuid& team,
                                                  const RunFilter& filter, int limit) {
  Args args;
  args.Id(team);
  for (const auto& id : {filter.before, filter.deployment, filter.pool})
    id.has_value() ? args.Id(*id) : args.Null();
  std::vector<std::string> states;
  for (const v1::StateType state : filter.states) states.emplace_back(StateNameOf(state));
  states.empty() ? args.Null() : args.Array(TextArray(states));
  args.Int(limit);
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kListRuns, args));
  std::vector<v1::FlowRun> runs;
  for (size_t row = 0; row < rows.size(); ++row) runs.push_back(ReadRunRow(rows, row).run);
  return runs;
}

}  // namespace forebay::server
