#pragma once

// Errors as people read them. Pure.

#include <string>

#include "absl/status/status.h"

namespace forebay::cli {

// "error: <what and why>" and, if there is one, a second line with the next command.
std::string DescribeFailure(const absl::Status& status, bool color);

}  // namespace forebay::cli
