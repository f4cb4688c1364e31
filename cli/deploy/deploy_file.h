#pragma once

// forebay.yaml: several deployments in one file. Pure.

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/deploy/planned_deployment.h"
#include "cli/values.h"

namespace forebay::cli {

// The file holds `deployments`, a list of entries with name, pool, either flow and command or, for
// a Python flow, entrypoint, and if wanted queue, parameters, job_variables, description, version,
// tags, crash_retries, retries, retry_delay, retry_jitter, retry_on, timeout, concurrency_limit,
// collision, limits, schedules. Python flows may have build, push and pull; beside `deployments`
// these three hold for all of them that say nothing themselves. The name of a Python flow's
// deployment has no flow in it yet. `here` is what times in it are relative to. INVALID_ARGUMENT
// (INVALID_YAML, UNKNOWN_CONFIG_KEY with the nearest, INVALID_CONFIG_VALUE, USAGE) names file,
// entry and key.
absl::StatusOr<std::vector<PlannedDeployment>> ParseDeployFile(std::string_view text,
                                                               std::string_view file,
                                                               const Here& here);

}  // namespace forebay::cli
