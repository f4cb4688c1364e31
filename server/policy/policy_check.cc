#include "server/policy/policy_check.h"

#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/launch_plan/preview.h"
#include "common/launch_plan/preview_proto.h"
#include "server/api/messages.h"
#include "server/store/deployments.h"
#include "server/store/flow_program.h"

namespace forebay::server {
namespace {

constexpr int kMostVerdicts = 1000;

// What is asked about, once its names are resolved.
struct Question {
  std::string deployment_variables;
  std::string run_variables;
  std::vector<std::string> command;
  Attribution attribution = StandInAttribution();

  void Take(const v1::Deployment& deployment) {
    deployment_variables = deployment.job_variables();
    command = CommandOf(deployment);
    const auto name = DeploymentNameOf(deployment.name(), "deployment");
    attribution.deployment_id = deployment.uid();
    attribution.work_queue = deployment.work_queue();
    attribution.parameters = deployment.parameters();
    if (!name.ok()) return;
    attribution.flow = name->flow;
    attribution.deployment = name->flow + "/" + name->deployment;
  }
};

absl::StatusOr<JobPreview> Preview(const PoolSnapshot& pool, const Policy& policy,
                                   Question question) {
  const auto job_template = JobTemplate::Parse(pool.base_job_template);
  if (!job_template.ok()) {
    JobPreview unusable;
    unusable.problems.push_back(ProblemOf(job_template.status()));
    return unusable;
  }
  ASSIGN_OR_RETURN(const Json deployment,
                   ParseJsonObject(question.deployment_variables, "deployment.job_variables"));
  ASSIGN_OR_RETURN(const Json run, ParseJsonObject(question.run_variables, "job_variables"));
  question.attribution.work_pool = pool.name;
  return PreviewJob(
      {pool.type, *job_template, policy, deployment, run, question.command, question.attribution});
}

}  // namespace

absl::StatusOr<v1::RenderJobResponse> RenderJob(Session& session, Snapshots& snapshots,
                                                const Caller& caller,
                                                const v1::RenderJobRequest& request) {
  Question question;
  question.run_variables = request.job_variables();
  std::string pool_name = request.work_pool();
  if (!request.deployment().empty()) {
    ASSIGN_OR_RETURN(const auto name, DeploymentNameOf(request.deployment(), "deployment"));
    ASSIGN_OR_RETURN(const v1::Deployment deployment, ReadDeployment(session, caller.team, name));
    question.Take(deployment);
    if (pool_name.empty()) pool_name = deployment.work_pool();
  }
  ASSIGN_OR_RETURN(const std::string name, PoolNameOf(pool_name, "work_pool"));
  ASSIGN_OR_RETURN(const auto pool, snapshots.PoolByName(session, name));
  ASSIGN_OR_RETURN(const Policy policy, Policy::Parse(pool->type, pool->policy));
  ASSIGN_OR_RETURN(const JobPreview preview, Preview(*pool, policy, std::move(question)));
  v1::RenderJobResponse response = ToProto(preview);
  response.set_work_pool("workPools/" + pool->name);
  response.set_type(pool->type);
  return response;
}

absl::StatusOr<v1::CheckPolicyResponse> CheckPolicy(Session& session, Snapshots& snapshots,
                                                    const Caller& caller,
                                                    const v1::CheckPolicyRequest& request) {
  ASSIGN_OR_RETURN(const std::string name, PoolNameOf(request.work_pool(), "work_pool"));
  ASSIGN_OR_RETURN(const auto pool, snapshots.PoolByName(session, name));
  ASSIGN_OR_RETURN(
      const Policy policy,
      Policy::Parse(pool->type, request.policy().empty() ? pool->policy : request.policy()));
  ASSIGN_OR_RETURN(const auto deployments,
                   ListDeployments(session, caller.team, {{}, {}, name, {}}, kMostVerdicts));
  v1::CheckPolicyResponse response;
  response.set_deployments_checked(static_cast<int>(deployments.size()));
  for (const v1::Deployment& deployment : deployments) {
    Question question;
    question.Take(deployment);
    ASSIGN_OR_RETURN(const JobPreview preview, Preview(*pool, policy, std::move(question)));
    if (preview.launchable()) continue;
    v1::DeploymentVerdict& verdict = *response.add_verdicts();
    verdict.set_deployment(deployment.name());
    for (const JobProblem& problem : preview.problems) ToProto(problem, *verdict.add_problems());
    for (const Denial& denial : preview.denials) ToProto(denial, *verdict.add_denials());
  }
  return response;
}

}  // namespace forebay::server
