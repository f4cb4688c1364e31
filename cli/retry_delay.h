#pragma once

// The pauses before retries as people write them: "10s", "10s,30s,1m" or "exponential:10s..10m".
// Pure.

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace forebay::cli {

// The list that the API takes: pause n is before retry n, the last one repeats. "exponential"
// doubles from the first up to the cap, which stands at the end. "none" is the empty list.
// INVALID_ARGUMENT (USAGE).
absl::StatusOr<std::vector<absl::Duration>> ParseRetryDelay(const std::string& text,
                                                            std::string_view option);

}  // namespace forebay::cli
