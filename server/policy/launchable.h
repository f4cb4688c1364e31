#pragma once

// Whether a run would be launched, decided when it is created.

#include "absl/status/status.h"
#include "common/json/json.h"
#include "server/store/snapshots.h"

namespace forebay::server {

// `deployment` is usable; `run`: the run's job variables, which passed
// JobTemplate::CheckJobVariables. The same way as the worker goes before the launch.
// INVALID_ARGUMENT: MISSING_JOB_VARIABLE, INVALID_JOB_VARIABLE, INVALID_JOB. FAILED_PRECONDITION:
// UNRESOLVED_REFERENCE. PERMISSION_DENIED: POLICY_DENIED. Pure.
absl::Status CheckLaunchable(const DeploymentSnapshot& deployment, const Json& run);

}  // namespace forebay::server
