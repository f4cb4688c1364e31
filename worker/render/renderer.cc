#include "worker/render/renderer.h"

#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/job_template/rendered_job.h"
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

absl::StatusOr<Json> Configuration(const JobTemplate& job_template,
                                   const v1::Assignment& assignment) {
  ASSIGN_OR_RETURN(const Json deployment, ParseJsonObject(assignment.deployment_job_variables(),
                                                          "deployment_job_variables"));
  ASSIGN_OR_RETURN(const Json run,
                   ParseJsonObject(assignment.run_job_variables(), "run_job_variables"));
  ASSIGN_OR_RETURN(RenderedJob rendered, job_template.Render(deployment, run));
  return std::move(rendered.configuration);
}

}  // namespace

void Renderer::SetPool(const v1::PoolSnapshot& snapshot) {
  auto pool = std::make_shared<const Pool>(
      Pool{snapshot, JobTemplate::Parse(snapshot.base_job_template())});
  MutexLock lock(mutex_);
  if (pool_ != nullptr && pool_->snapshot.revision() > snapshot.revision()) return;
  pool_ = std::move(pool);
}

void Renderer::SetWorkerId(const std::string& worker_id) {
  MutexLock lock(mutex_);
  worker_id_ = worker_id;
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

std::map<std::string, std::string> Renderer::Environment(const v1::Assignment& assignment,
                                                         const std::string& pool) const {
  const v1::AttemptRef& ref = assignment.attempt();
  MutexLock lock(mutex_);
  return {{"FOREBAY_PARAMETERS", assignment.parameters().empty() ? "{}" : assignment.parameters()},
          {"FOREBAY_RUN_ID", ref.run_id()},
          {"FOREBAY_RUN_NAME", assignment.run_display_name()},
          {"FOREBAY_ATTEMPT", std::to_string(ref.attempt())},
          {"FOREBAY_EPOCH", std::to_string(ref.epoch())},
          {"FOREBAY_FLOW", assignment.flow()},
          {"FOREBAY_DEPLOYMENT", assignment.deployment()},
          {"FOREBAY_DEPLOYMENT_ID", assignment.deployment_id()},
          {"FOREBAY_WORK_POOL", pool},
          {"FOREBAY_WORK_QUEUE", assignment.work_queue()},
          {"FOREBAY_SERVER", server_},
          {"FOREBAY_WORKER_ID", worker_id_},
          {"FOREBAY_WORKER_NAME", worker_name_}};
}

absl::StatusOr<LaunchSpec> Renderer::Render(const v1::Assignment& assignment) const {
  const auto known = pool();
  if (known == nullptr) return RenderError(absl::FailedPreconditionError("no pool is known"));
  RETURN_IF_ERROR(RenderError(known->job_template.status()));
  auto configuration = Configuration(*known->job_template, assignment);
  RETURN_IF_ERROR(RenderError(configuration.status()));
  const v1::AttemptRef& ref = assignment.attempt();

  LaunchSpec spec;
  spec.name = NameOf(ref);
  spec.run = {ref.run_id(), ref.attempt()};
  spec.command = {assignment.command().begin(), assignment.command().end()};
  spec.configuration = *std::move(configuration);
  spec.environment = Environment(assignment, known->snapshot.pool());
  spec.cancel_grace = ToDuration(known->snapshot.cancel_grace());
  return spec;
}

}  // namespace forebay::worker
