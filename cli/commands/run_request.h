#pragma once

// Options that say how to run something, shared by `deployment run` and `deploy`.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/command.h"
#include "common/json/json.h"

namespace forebay::cli {

// --param, --params, --job-variable.
std::vector<Option> ParameterOptions();
// JSON text of the parameters: --params with each --param laid over it.
absl::StatusOr<Json> ParametersOf(const Arguments& arguments);
absl::StatusOr<Json> JobVariablesOf(const Arguments& arguments);

}  // namespace forebay::cli
