#pragma once

// Stage 2: the environment of a run. Thread-safe.

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/json/json.h"
#include "worker/launch/process/account.h"

namespace forebay::worker {

using Environment = std::map<std::string, std::string>;

// Those variables of this process that a run may see: where programs are, and in which language and
// time zone people here live. Nothing else of the worker's environment is ever passed on.
Environment InheritedEnvironment();

// `inherited`, under the account's own names (HOME, USER, …) if the run has another account, under
// what the worker adds, under the configuration's `env` (null: none). INVALID_ARGUMENT
// (INVALID_JOB) for a value that cannot be in an environment, and for a name in `env` that would
// change which code runs before the command's own (LD_*, BASH_ENV, …) or belongs to Forebay
// (FOREBAY_*).
absl::StatusOr<Environment> RunEnvironment(Environment inherited, const Account* account,
                                           const Environment& added, const Json* env);

// "NAME=value" for each.
std::vector<std::string> EnvironmentEntries(const Environment& environment);

}  // namespace forebay::worker
