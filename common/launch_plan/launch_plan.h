#pragma once

// From template and variables to what is launched, in one way for all who ask: the server when a
// run is created, a preview, the worker before the launch, the command line offline. Pure.

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "common/job_template/job_template.h"
#include "common/job_template/rendered_job.h"
#include "common/json/json.h"
#include "common/policy/policy.h"

namespace forebay {

struct PlannedJob {
  RenderedJob rendered;
  // The configuration typed and complete (common/job_spec/final_spec.h).
  Json final_spec;
  // Of the final spec.
  std::vector<LeafOrigin> origins;
};

// INVALID_ARGUMENT: as JobTemplate::Render and FinalSpec say. FAILED_PRECONDITION
// (UNRESOLVED_REFERENCE) for a reference to a secret or variable.
absl::StatusOr<PlannedJob> PlanJob(std::string_view pool_type, const JobTemplate& job_template,
                                   const Json& deployment, const Json& run);

// PERMISSION_DENIED (POLICY_DENIED) of what the policy does not allow. `whose`: as of DeniedBy.
absl::Status Allow(const Policy& policy, std::string_view whose, const PlannedJob& job);

}  // namespace forebay
