#include "server/runs/pause.h"

#include "common/base/status.h"
#include "server/db/queries.h"
#include "server/runs/cancel.h"
#include "server/runs/standing.h"

namespace forebay::server {
namespace {

absl::Status Cancelling(const Uuid& run) {
  return Error(absl::StatusCode::kFailedPrecondition, "RUN_CANCELLING")
      .Field("flow_run", run.ToString())
      .Next(fmt::format("forebay flow-run inspect {}", run.ToString()))
      .Says("flow run {} is being cancelled; it cannot be paused", run.ToString());
}

absl::Status Suspending(const Uuid& run) {
  return Error(absl::StatusCode::kFailedPrecondition, "RUN_SUSPENDING")
      .Field("flow_run", run.ToString())
      .Next(fmt::format("forebay flow-run inspect {}", run.ToString()))
      .Says("flow run {} is being suspended; resume it when it is", run.ToString());
}

absl::Status PauseOnce(Session& session, Signals& signals, const Uuid& run, bool& done) {
  ASSIGN_OR_RETURN(Rows waiting, session.Run(queries::kPauseQueued, Args().Id(run)));
  done = !waiting.empty();
  if (done) return absl::OkStatus();
  ASSIGN_OR_RETURN(Rows held, session.Run(queries::kRequestStop,
                                          Args().Id(run).Text("SUSPEND_REQUESTED").Null()));
  done = !held.empty();
  if (!done) return absl::OkStatus();
  if (held.Text(0, 1) == "CANCEL_REQUESTED") return Cancelling(run);
  signals.StopWanted(held.Id(0, 0));
  return absl::OkStatus();
}

}  // namespace

absl::Status PauseRun(Session& session, Signals& signals, const Uuid& team, const Uuid& run) {
  // Between two looks a grant or a requeue may move the run from one table to the other; it cannot
  // do so for ever.
  for (int look = 0; look < 10; ++look) {
    ASSIGN_OR_RETURN(const Standing standing, StandingOf(session, team, run));
    if (standing.finished) return RunFinished(run);
    if (standing.paused) return absl::OkStatus();
    bool done = false;
    RETURN_IF_ERROR(PauseOnce(session, signals, run, done));
    if (!done) continue;
    signals.RunsChanged({run});
    return absl::OkStatus();
  }
  return absl::AbortedError("the run kept moving");
}

absl::Status ResumeRun(Session& session, Signals& signals, const Uuid& team, const Uuid& run) {
  ASSIGN_OR_RETURN(const Standing standing, StandingOf(session, team, run));
  if (standing.finished) return RunFinished(run);
  if (standing.stop == Stop::kSuspend) return Suspending(run);
  ASSIGN_OR_RETURN(Rows resumed, session.Run(queries::kResumeQueued, Args().Id(run)));
  if (resumed.empty()) return absl::OkStatus();
  signals.RunsChanged({run});
  signals.WorkReady(resumed.Id(0, 0));
  return absl::OkStatus();
}

}  // namespace forebay::server
