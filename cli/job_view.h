#pragma once

// How a preview of a job is shown.

#include <string_view>

#include "cli/session.h"
#include "forebay/v1/work_pool.pb.h"

namespace forebay::cli {

// Each leaf with who set it, then what is wrong. For programs (-o json, yaml) one object with
// `job_configuration`, `leaves`, `problems`, `denials` and `launchable`. `title` is for people.
// FAILED_PRECONDITION (NOT_LAUNCHABLE) after it has been shown when a run would be refused.
absl::Status ShowJob(Session& session, std::string_view title,
                     const v1::RenderJobResponse& preview);

// A list of problems and denials, one a line.
void ShowFaults(Session& session,
                const google::protobuf::RepeatedPtrField<v1::JobProblem>& problems,
                const google::protobuf::RepeatedPtrField<v1::PolicyDenial>& denials);

}  // namespace forebay::cli
