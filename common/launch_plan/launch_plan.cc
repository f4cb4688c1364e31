#include "common/launch_plan/launch_plan.h"

#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/job_spec/final_spec.h"
#include "common/job_template/references.h"

namespace forebay {

absl::StatusOr<PlannedJob> PlanJob(std::string_view pool_type, const JobTemplate& job_template,
                                   const Json& deployment, const Json& run) {
  PlannedJob job;
  ASSIGN_OR_RETURN(job.rendered, job_template.Render(deployment, run));
  const auto references = FindReferences(job.rendered.configuration);
  if (!references.empty()) return UnresolvedReference(references.front());
  ASSIGN_OR_RETURN(FinalJob final_job, FinalSpecWithOrigins(pool_type, job.rendered.configuration,
                                                            job.rendered.origins));
  job.final_spec = std::move(final_job.spec);
  job.origins = std::move(final_job.origins);
  return job;
}

absl::Status Allow(const Policy& policy, std::string_view whose, const PlannedJob& job) {
  const auto denials = policy.Check(job.final_spec, job.origins);
  return denials.empty() ? absl::OkStatus() : DeniedBy(whose, denials);
}

}  // namespace forebay
