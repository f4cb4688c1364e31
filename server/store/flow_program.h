#pragma once

// What a deployment runs when it is a Python flow: its entrypoint, the steps before its import, the
// schema of its parameters. Pure.

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/json/json.h"
#include "common/json_schema/json_schema.h"
#include "forebay/v1/deployment.pb.h"

namespace forebay::server {

// argv of the program that runs an entrypoint, where the deployment names no other.
std::vector<std::string> EngineCommand();
// argv of a deployment's program.
std::vector<std::string> CommandOf(const v1::Deployment& deployment);

// INVALID_ARGUMENT: COMMAND_MISSING (neither command nor entrypoint), INVALID_ENTRYPOINT,
// INVALID_PULL_STEPS, INVALID_SCHEMA, TOO_LARGE.
absl::Status CheckProgram(const v1::Deployment& deployment);

// INVALID_ARGUMENT (INVALID_SCHEMA, INVALID_JSON).
absl::StatusOr<JsonSchema> ParseParameterSchema(std::string_view text);
// INVALID_ARGUMENT (INVALID_PARAMETERS) naming parameter and value. `complete`: nothing will be
// laid over them, so none that is required may be missing.
absl::Status CheckParameters(const JsonSchema& schema, const Json& parameters, bool complete);

}  // namespace forebay::server
