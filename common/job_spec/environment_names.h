#pragma once

// Which environment variables a job may set. Pure.

#include <string_view>

#include "absl/status/status.h"
#include "common/json/json.h"

namespace forebay {

// Names that change what a program loads or that Forebay itself sets: LD_*, GIT_*, FOREBAY_*,
// PYTHONSTARTUP, BASH_ENV, ENV, IFS.
bool IsProtectedEnvName(std::string_view name);
// INVALID_ARGUMENT (INVALID_JOB, `field` env.<name>) when the object sets one of them, be it to
// null. Anything but an object is OK here.
absl::Status CheckEnvNames(const Json& env);

}  // namespace forebay
