#include "worker/render/renderer.h"

#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/launch_plan/launch_plan.h"
#include "worker/launch/attempt_name.h"
#include "worker/report/timestamp.h"

namespace forebay::worker {

namespace {

absl::Status RenderError(const absl::Status& status) {
  if (status.ok()) return status;
  ErrorDetail detail = DetailOf(status).value_or(ErrorDetail());
  detail.metadata["cause"] = detail.reason;
  detail.reason = "RENDER_FAILED";
  absl::Status failed(absl::StatusCode::kInvalidArgument, status.message());
  AttachDetail(failed, detail);
  return failed;
}

absl::StatusOr<PlannedJob> Plan(const std::string& type, const JobTemplate& job_template,
                                const v1::Assignment& assignment) {
  ASSIGN_OR_RETURN(const Json deployment, ParseJsonObject(assignment.deployment_job_variables(),
                                                          "deployment_job_variables"));
  ASSIGN_OR_RETURN(const Json run,
                   ParseJsonObject(assignment.run_job_variables(), "run_job_variables"));
  return PlanJob(type, job_template, deployment, run);
}

}  // namespace

void Renderer::SetPool(const v1::PoolSnapshot& snapshot) {
  auto pool =
      std::make_shared<const Pool>(Pool{snapshot, JobTemplate::Parse(snapshot.base_job_template()),
                                        Policy::Parse(snapshot.type(), snapshot.policy())});
  MutexLock lock(mutex_);
  if (pool_ != nullptr && pool_->snapshot.revision() > snapshot.revision()) return;
  pool_ = std::move(pool);
}

void Renderer::SetWorkerId(const std::string& worker_id) {
  MutexLock lock(mutex_);
  worker_id_ = worker_id;
}

void Renderer::SetApiUrl(const std::string& url) {
  MutexLock lock(mutex_);
  if (own_api_url_.empty()) api_url_ = url;
}

std::shared_ptr<const Renderer::Pool> Renderer::pool() const {
  MutexLock lock(mutex_);
  return pool_;
}

int64_t Renderer::pool_revision() const {
  const auto known = pool();
  return known == nullptr ? 0 : known->snapshot.revision();
}

absl::Duration Renderer::cancel_grace() const {
  const auto known = pool();
  return known == nullptr ? absl::ZeroDuration() : ToDuration(known->snapshot.cancel_grace());
}

Attribution Renderer::AttributionOf(const v1::Assignment& assignment,
                                    const std::string& pool) const {
  const v1::AttemptRef& ref = assignment.attempt();
  Attribution attribution;
  attribution.run_id = ref.run_id();
  attribution.run_name = assignment.run_display_name();
  attribution.attempt = std::to_string(ref.attempt());
  attribution.epoch = std::to_string(ref.epoch());
  attribution.flow = assignment.flow();
  attribution.deployment = assignment.deployment();
  attribution.deployment_id = assignment.deployment_id();
  attribution.work_pool = pool;
  attribution.work_queue = assignment.work_queue();
  attribution.server = server_;
  attribution.worker_name = worker_name_;
  attribution.parameters = assignment.parameters();
  MutexLock lock(mutex_);
  attribution.worker_id = worker_id_;
  return attribution;
}

absl::Status Renderer::CheckPolicies(const Pool& pool, const PlannedJob& job) const {
  RETURN_IF_ERROR(RenderError(pool.policy.status()));
  RETURN_IF_ERROR(
      Allow(*pool.policy, fmt::format("the policy of work pool '{}'", pool.snapshot.pool()), job));
  return floor_.has_value() ? Allow(*floor_, "the floor policy of this worker", job)
                            : absl::OkStatus();
}

absl::Status Renderer::AddOwnGate(const v1::Assignment& assignment, LaunchSpec& spec) const {
  if (assignment.entrypoint().empty()) return absl::OkStatus();
  OwnGate gate{assignment.launch_ticket(), "", authority_};
  {
    MutexLock lock(mutex_);
    gate.api_url = api_url_;
  }
  if (gate.api_url.empty()) {
    return Error(absl::StatusCode::kFailedPrecondition, "NO_HTTP_LISTENER")
        .Next("forebay server start --http-listen <host:port>")
        .Says("the flow could not report to the server, which has no HTTP listener");
  }
  spec.environment.merge(OwnGateEnvironment(gate));
  return absl::OkStatus();
}

absl::StatusOr<LaunchSpec> Renderer::Render(const v1::Assignment& assignment) const {
  const auto known = pool();
  if (known == nullptr) return RenderError(absl::FailedPreconditionError("no pool is known"));
  RETURN_IF_ERROR(RenderError(known->job_template.status()));
  auto job = Plan(known->snapshot.type(), *known->job_template, assignment);
  if (absl::IsFailedPrecondition(job.status())) return job.status();
  RETURN_IF_ERROR(RenderError(job.status()));
  RETURN_IF_ERROR(CheckPolicies(*known, *job));
  const v1::AttemptRef& ref = assignment.attempt();
  const Attribution attribution = AttributionOf(assignment, known->snapshot.pool());

  LaunchSpec spec;
  spec.name = NameOf(ref);
  spec.run = {ref.run_id(), ref.attempt()};
  spec.command = {assignment.command().begin(), assignment.command().end()};
  spec.configuration = std::move(job->rendered.configuration);
  spec.environment = AttributionEnvironment(attribution);
  RETURN_IF_ERROR(AddOwnGate(assignment, spec));
  spec.labels = AttributionLabels(attribution);
  spec.cancel_grace = ToDuration(known->snapshot.cancel_grace());
  if (assignment.has_start_deadline()) spec.start_deadline = ToTime(assignment.start_deadline());
  return spec;
}

}  // namespace forebay::worker
