#pragma once

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "common/policy/policy.h"

namespace forebay::worker {

// What this worker launches at most, from its own file (YAML or JSON), which no server can widen.
// Nothing without a file. Errors of the file, and as of Policy::Parse, keep the worker from
// starting.
absl::StatusOr<std::optional<Policy>> ReadPolicyFloor(const std::string& pool_type,
                                                      const std::string& path);

}  // namespace forebay::worker
