#pragma once

// What the kernel refused, as an absl::Status. Thread-safe.

#include <string_view>

#include "absl/status/status.h"

namespace forebay {

// "<what>: <text of the error number>". Reasons: FILE_NOT_FOUND (NOT_FOUND), FILE_EXISTS
// (ALREADY_EXISTS), PERMISSION_DENIED, NO_SPACE (RESOURCE_EXHAUSTED), else SYSTEM_CALL_FAILED
// (UNAVAILABLE).
absl::Status ErrnoStatus(int number, std::string_view what);

}  // namespace forebay
