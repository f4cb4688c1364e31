#pragma once

// `key=value` options and durations.

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/json/json.h"

namespace forebay::cli {

// Each "key=value" laid over `object`: the value as JSON if it is JSON, else as text; a later one
// wins. `option` is how the user wrote it, for INVALID_ARGUMENT (USAGE).
absl::Status LayAssignments(const std::vector<std::string>& assignments, std::string_view option,
                            Json& object);

// The object that the text of an option holds; "@FILE" reads it from the file. Empty text is {}.
absl::StatusOr<Json> ParseObjectOption(const std::string& text, std::string_view option);

// "90s", "15m", "2h", "1h30m"; a bare number means seconds. INVALID_ARGUMENT (USAGE).
absl::StatusOr<absl::Duration> ParseDurationOption(const std::string& text,
                                                   std::string_view option);

}  // namespace forebay::cli
