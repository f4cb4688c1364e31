#include "server/runs/cancel.h"

#include "common/base/status.h"
#include "server/db/queries.h"

namespace forebay::server {
namespace {

enum class Standing { kUnknown, kLive, kFinished };

absl::StatusOr<Standing> StandingOf(Session& session, const Uuid& team, const Uuid& run) {
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kLogEnd, Args().Id(run).Id(team)));
  if (rows.empty()) return Standing::kUnknown;
  return rows.Bool(0, 0) ? Standing::kFinished : Standing::kLive;
}

}  // namespace

absl::Status RunNotFound(const Uuid& run) {
  return Error(absl::StatusCode::kNotFound, "FLOW_RUN_NOT_FOUND")
      .Field("flow_run", run.ToString())
      .Next("forebay flow-run ls")
      .Says("flow run {} does not exist", run.ToString());
}

absl::Status CancelQueued(Session& session, const std::vector<Uuid>& runs, std::string_view why) {
  return session.Run(queries::kCancelQueued, Args().Array(IdArray(runs)).Text(why)).status();
}

absl::Status CancelRun(Session& session, Signals& signals, const Uuid& team, const Uuid& run) {
  ASSIGN_OR_RETURN(Standing standing, StandingOf(session, team, run));
  if (standing == Standing::kUnknown) return RunNotFound(run);
  // Between two looks a grant or a requeue may move the run from one table to the other; it cannot
  // do so for ever.
  for (int look = 0; look < 10 && standing == Standing::kLive; ++look) {
    ASSIGN_OR_RETURN(
        Rows waiting,
        session.Run(queries::kCancelQueued,
                    Args().Array(IdArray(std::span(&run, 1))).Text("cancelled on request")));
    if (!waiting.empty()) {
      signals.RunsChanged({run});
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(Rows held, session.Run(queries::kRequestCancel, Args().Id(run)));
    if (!held.empty()) {
      signals.RunsChanged({run});
      signals.StopWanted(held.Id(0, 0));
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(standing, StandingOf(session, team, run));
  }
  return Error(absl::StatusCode::kFailedPrecondition, "RUN_FINISHED")
      .Field("flow_run", run.ToString())
      .Next(fmt::format("forebay flow-run inspect {}", run.ToString()))
      .Says("flow run {} is over already", run.ToString());
}

absl::Status DeleteRun(Session& session, const Uuid& team, const Uuid& run) {
  ASSIGN_OR_RETURN(const Standing standing, StandingOf(session, team, run));
  if (standing == Standing::kUnknown) return RunNotFound(run);
  if (standing == Standing::kLive) {
    return Error(absl::StatusCode::kFailedPrecondition, "RUN_NOT_FINISHED")
        .Field("flow_run", run.ToString())
        .Next(fmt::format("forebay flow-run cancel {}", run.ToString()))
        .Says("flow run {} is not over; cancel it first", run.ToString());
  }
  return session.Run(queries::kDeleteRun, Args().Id(run)).status();
}

}  // namespace forebay::server
