#include "server/policy/launchable.h"

#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/launch_plan/launch_plan.h"

namespace forebay::server {
namespace {

absl::Status WithPreview(absl::Status status, const DeploymentSnapshot& deployment) {
  auto detail = DetailOf(status);
  if (!detail.has_value() || detail->metadata.contains("next")) return status;
  detail->metadata["next"] =
      fmt::format("forebay deployment run {}/{} --dry-run", deployment.flow_name, deployment.name);
  AttachDetail(status, *detail);
  return status;
}

absl::Status Check(const DeploymentSnapshot& deployment, const Json& run) {
  ASSIGN_OR_RETURN(const Json own,
                   ParseJsonObject(deployment.job_variables, "deployment.job_variables"));
  RETURN_IF_ERROR(deployment.job_template->CheckRun(own, run));
  ASSIGN_OR_RETURN(const PlannedJob job,
                   PlanJob(deployment.pool_type, *deployment.job_template, own, run));
  return Allow(*deployment.policy,
               fmt::format("the policy of work pool '{}'", deployment.pool_name), job);
}

}  // namespace

absl::Status CheckLaunchable(const DeploymentSnapshot& deployment, const Json& run) {
  const absl::Status checked = Check(deployment, run);
  return checked.ok() ? checked : WithPreview(checked, deployment);
}

}  // namespace forebay::server
