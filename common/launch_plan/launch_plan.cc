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
  ASSIGN_OR_RETURN(job.final_spec, FinalSpec(pool_type, job.rendered.configuration));
  return job;
}

absl::Status Allow(const Policy& policy, std::string_view whose, const PlannedJob& job) {
  const auto denials = policy.Check(job.final_spec, job.rendered.origins);
  return denials.empty() ? absl::OkStatus() : DeniedBy(whose, denials);
}

}  // namespace forebay
