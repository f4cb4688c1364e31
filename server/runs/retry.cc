#include "server/runs/retry.h"

#include "common/base/status.h"
#include "server/runs/run_view.h"
#include "server/runs/standing.h"

namespace forebay::server {
namespace {

absl::Status Completed(const Uuid& run, const std::string& deployment) {
  return Error(absl::StatusCode::kFailedPrecondition, "RUN_COMPLETED")
      .Field("flow_run", run.ToString())
      .Next(fmt::format("forebay deployment run {}", deployment))
      .Says("flow run {} completed; there is nothing to retry", run.ToString());
}

absl::Status StillGoing(const Uuid& run, const std::string& state) {
  return Error(absl::StatusCode::kFailedPrecondition, "RUN_NOT_FINISHED")
      .Field("flow_run", run.ToString())
      .Next(fmt::format("forebay flow-run cancel {}", run.ToString()))
      .Says("flow run {} is {}; only a run that is over can be retried", run.ToString(), state);
}

}  // namespace

absl::StatusOr<RunOrder> OrderToRetry(Session& session, const Uuid& team, const Uuid& run,
                                      const std::string& request_id) {
  ASSIGN_OR_RETURN(const v1::FlowRun old, ReadRun(session, team, run, v1::RUN_VIEW_BASIC));
  if (!old.has_end_time()) return StillGoing(run, old.state().name());
  if (old.state().type() == v1::STATE_TYPE_COMPLETED) return Completed(run, old.deployment());
  RunOrder order;
  order.request.set_deployment(old.deployment());
  order.request.set_parameters(old.parameters());
  order.request.set_job_variables(old.job_variables());
  *order.request.mutable_tags() = old.tags();
  if (!request_id.empty())
    order.request.set_idempotency_key("retry:" + run.ToString() + ":" + request_id);
  order.retry_of = run;
  return order;
}

}  // namespace forebay::server
