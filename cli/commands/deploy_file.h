#pragma once

// forebay.yaml: several deployments in one file. Pure.

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/values.h"
#include "forebay/v1/deployment.pb.h"

namespace forebay::cli {

// The file holds `deployments`, a list of entries with name, flow, pool, command and, if wanted,
// queue, parameters, job_variables, description, version, tags, crash_retries, retries,
// retry_delay, retry_jitter, retry_on, timeout, concurrency_limit, collision, limits, schedules.
// `here` is what times in it are relative to. INVALID_ARGUMENT (INVALID_YAML, UNKNOWN_CONFIG_KEY
// with the nearest, INVALID_CONFIG_VALUE, USAGE) names file, entry and key.
absl::StatusOr<std::vector<v1::ApplyDeploymentRequest>> ParseDeployFile(std::string_view text,
                                                                        std::string_view file,
                                                                        const Here& here);

}  // namespace forebay::cli
