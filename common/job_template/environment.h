#pragma once

// The `env` of a rendered job, laid over the environment that a launcher provides. Pure;
// thread-safe.

#include <map>
#include <string>

#include "absl/status/status.h"
#include "common/json/json.h"

namespace forebay {

// Strings are taken as they are, numbers and booleans as JSON text, null removes the name. `env` is
// an object, or null for nothing. INVALID_ARGUMENT (INVALID_ENV, `field` = env.<name>) for anything
// else: a value that is a list or an object, a name that is empty or holds `=` or NUL, a value with
// NUL; `environment` is then unchanged.
absl::Status ApplyEnv(const Json& env, std::map<std::string, std::string>& environment);

}  // namespace forebay
