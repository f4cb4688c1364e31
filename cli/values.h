#pragma once

// `key=value` options, durations, times and numbers, as people type them. Pure but for "@FILE".

#include <cstdint>
#include <optional>
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

// "90s", "15m", "2h", "1h30m", "7d", "1d12h"; a bare number means seconds. INVALID_ARGUMENT
// (USAGE).
absl::StatusOr<absl::Duration> ParseDurationOption(const std::string& text,
                                                   std::string_view option);

// What a time on the command line is relative to.
struct Here {
  absl::Time now;
  absl::TimeZone zone;
};

// RFC 3339; "2026-12-01 08:00" of the zone, with seconds or without a time; "+2h" from now.
// INVALID_ARGUMENT (USAGE), also for a local time that the clocks skip.
absl::StatusOr<absl::Time> ParseTimeOption(const std::string& text, std::string_view option,
                                           const Here& here);

// A whole number of 32 bits that is not below `least`. INVALID_ARGUMENT (USAGE).
absl::StatusOr<int32_t> ParseCountOption(const std::string& text, std::string_view option,
                                         int32_t least);
// The same from 0 on, or "none" for no limit.
absl::StatusOr<std::optional<int32_t>> ParseLimitOption(const std::string& text,
                                                        std::string_view option);
// A finite number. INVALID_ARGUMENT (USAGE).
absl::StatusOr<double> ParseNumberOption(const std::string& text, std::string_view option);

}  // namespace forebay::cli
