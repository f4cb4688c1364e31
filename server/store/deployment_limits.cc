#include "server/store/deployment_limits.h"

#include <algorithm>

#include "common/base/status.h"
#include "server/db/queries.h"
#include "server/store/concurrency_limits.h"

namespace forebay::server {
namespace {

absl::StatusOr<DeploymentLimits> ReadLimits(Session& session, const Uuid& deployment) {
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kReadDeploymentLimits, Args().Id(deployment)));
  DeploymentLimits limits;
  if (rows.empty()) return limits;
  if (const auto own = rows.OptionalInt(0, 0)) limits.own = static_cast<int>(*own);
  limits.shared = rows.TextArray(0, 1);
  return limits;
}

}  // namespace

absl::StatusOr<bool> PrepareLimits(Session& session, const Uuid& deployment, const Uuid& pool,
                                   const DeploymentLimits& wanted) {
  ASSIGN_OR_RETURN(DeploymentLimits now, ReadLimits(session, deployment));
  DeploymentLimits sorted = wanted;
  std::sort(sorted.shared.begin(), sorted.shared.end());
  if (now == sorted) return false;
  ASSIGN_OR_RETURN(Rows pools,
                   session.Run(queries::kPoolsOfDeployment, Args().Id(deployment).Id(pool)));
  for (size_t row = 0; row < pools.size(); ++row)
    RETURN_IF_ERROR(session.Run(queries::kOwnLimits, Args().Id(pools.Id(row, 0))).status());
  return true;
}

absl::Status ApplyLimits(Session& session, const Uuid& team, const Uuid& deployment,
                         const DeploymentLimits& wanted) {
  std::vector<Uuid> shared;
  for (const std::string& name : wanted.shared) {
    ASSIGN_OR_RETURN(const Uuid id, FindLimit(session, team, name));
    shared.push_back(id);
  }
  RETURN_IF_ERROR(session
                      .Run(queries::kSetDeploymentLimits,
                           Args().Id(deployment).Array(IdArray(shared)).Bool(wanted.any()))
                      .status());
  const Query& counter = wanted.own.has_value() ? queries::kStartCounter : queries::kStopCounter;
  RETURN_IF_ERROR(session.Run(counter, Args().Text("deployment").Id(deployment)).status());
  return session
      .Run(wanted.any() ? queries::kGateRuns : queries::kUngateRuns, Args().Id(deployment))
      .status();
}

}  // namespace forebay::server
