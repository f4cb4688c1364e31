#pragma once

// Parts of the file of `forebay deploy -f`, shared by its readers. Pure.

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/values.h"
#include "common/json/json.h"
#include "forebay/v1/schedule.pb.h"

namespace forebay::cli {

// A text, or a number as it was written; nothing for all else.
std::optional<std::string> ScalarText(const Json& value);

// The list under `schedules`. One without a slug gets one from its kind and place ("cron",
// "cron-2"), so that deploying the file again replaces the same ones. INVALID_ARGUMENT
// (UNKNOWN_CONFIG_KEY, INVALID_CONFIG_VALUE, USAGE), the place in the file first.
absl::StatusOr<std::vector<v1::Schedule>> ParseFileSchedules(const std::string& where,
                                                             const Json& list, const Here& here);

// INVALID_ARGUMENT (UNKNOWN_CONFIG_KEY) with the nearest.
absl::Status UnknownKey(std::string_view where, const std::string& key,
                        const std::vector<std::string>& known);
// INVALID_ARGUMENT (INVALID_CONFIG_VALUE).
absl::Status NotThat(std::string_view where, std::string_view key, std::string_view wanted,
                     const Json& value);

}  // namespace forebay::cli
