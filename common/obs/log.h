#pragma once

// Process-wide structured log on standard error. Call InitLog once, first thing in main; then use
// spdlog's macros through this header. Secrets and tokens are never logged: pass ids.

#include <spdlog/spdlog.h>

#include <string_view>

#include "absl/status/status.h"

namespace forebay {

// `level`: error, warn, info or debug; INVALID_ARGUMENT otherwise. One line a record: time, level,
// process, text.
absl::Status InitLog(std::string_view process, std::string_view level);

}  // namespace forebay
