#include "server/runs/cancel.h"

#include "common/base/status.h"
#include "server/db/queries.h"
#include "server/runs/standing.h"

namespace forebay::server {

absl::Status CancelQueued(Session& session, const std::vector<Uuid>& runs, std::string_view why) {
  return session.Run(queries::kCancelQueued, Args().Array(IdArray(runs)).Text(why)).status();
}

absl::Status CancelCollisions(Session& session, const std::optional<Uuid>& pool) {
  return session.Run(queries::kCancelCollisions, pool ? Args().Id(*pool) : Args().Null()).status();
}

absl::Status CancelRun(Session& session, Signals& signals, const Uuid& team, const Uuid& run,
                       std::optional<absl::Duration> grace) {
  Args stop;
  stop.Id(run).Text("CANCEL_REQUESTED");
  grace.has_value() ? stop.Int(absl::ToInt64Milliseconds(*grace)) : stop.Null();
  // Between two looks a grant or a requeue may move the run from one table to the other; it cannot
  // do so for ever.
  for (int look = 0; look < 10; ++look) {
    ASSIGN_OR_RETURN(const Standing standing, StandingOf(session, team, run));
    if (standing.finished) break;
    ASSIGN_OR_RETURN(
        Rows waiting,
        session.Run(queries::kCancelQueued,
                    Args().Array(IdArray(std::span(&run, 1))).Text("cancelled on request")));
    if (!waiting.empty()) {
      signals.RunsChanged({run});
      return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(Rows held, session.Run(queries::kRequestStop, stop));
    if (!held.empty()) {
      signals.RunsChanged({run});
      signals.StopWanted(held.Id(0, 0));
      return absl::OkStatus();
    }
  }
  return RunFinished(run);
}

absl::Status DeleteRun(Session& session, const Uuid& team, const Uuid& run) {
  ASSIGN_OR_RETURN(const Standing standing, StandingOf(session, team, run));
  if (!standing.finished) return RunNotFinished(run);
  return session.Run(queries::kDeleteRun, Args().Id(run)).status();
}

}  // namespace forebay::server
