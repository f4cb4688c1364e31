#include "server/runs/standing.h"

#include "common/base/status.h"
#include "server/db/queries.h"
#include "server/runs/held_attempt.h"

namespace forebay::server {

absl::StatusOr<Standing> StandingOf(Session& session, const Uuid& team, const Uuid& run) {
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kWhereItStands, Args().Id(run).Id(team)));
  if (rows.empty()) return RunNotFound(run);
  Standing standing;
  standing.finished = rows.Bool(0, 0);
  standing.queued = rows.Bool(0, 1);
  standing.paused = rows.Bool(0, 2);
  standing.held = rows.Bool(0, 3);
  standing.stop = ReadStop(rows, 0, 4);
  return standing;
}

absl::Status RunNotFound(const Uuid& run) {
  return Error(absl::StatusCode::kNotFound, "FLOW_RUN_NOT_FOUND")
      .Field("flow_run", run.ToString())
      .Next("forebay flow-run ls")
      .Says("flow run {} does not exist, or has gone with old history", run.ToString());
}

absl::Status RunFinished(const Uuid& run) {
  return Error(absl::StatusCode::kFailedPrecondition, "RUN_FINISHED")
      .Field("flow_run", run.ToString())
      .Next(fmt::format("forebay flow-run inspect {}", run.ToString()))
      .Says("flow run {} is over already", run.ToString());
}

absl::Status RunNotFinished(const Uuid& run) {
  return Error(absl::StatusCode::kFailedPrecondition, "RUN_NOT_FINISHED")
      .Field("flow_run", run.ToString())
      .Next(fmt::format("forebay flow-run cancel {}", run.ToString()))
      .Says("flow run {} is not over; cancel it first", run.ToString());
}

}  // namespace forebay::server
