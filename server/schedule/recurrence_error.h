#pragma once

// The one shape of all errors of recurrence rules.

#include <string_view>

#include "absl/status/status.h"

namespace forebay::server {

// INVALID_ARGUMENT, INVALID_RRULE: "<part>: '<value>' <why>; allowed: <allowed>".
absl::Status InvalidRecurrence(std::string_view part, std::string_view value, std::string_view why,
                               std::string_view allowed);

}  // namespace forebay::server
