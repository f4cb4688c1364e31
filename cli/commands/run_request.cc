#include "cli/commands/run_request.h"

#include <nlohmann/json.hpp>

#include "cli/values.h"
#include "common/base/status.h"

namespace forebay::cli {

std::vector<Option> ParameterOptions() {
  return {
      {"--param", "KEY=VALUE", "A parameter; the value is JSON, else text", false, true},
      {"--params", "JSON", "All parameters as a JSON object, or @FILE"},
      {"--job-variable", "KEY=VALUE", "A job variable, e.g. env.DEBUG=1", false, true},
  };
}

absl::StatusOr<Json> ParametersOf(const Arguments& arguments) {
  ASSIGN_OR_RETURN(Json parameters, ParseObjectOption(arguments.Get("params"), "--params"));
  RETURN_IF_ERROR(LayAssignments(arguments.All("param"), "--param", parameters));
  return parameters;
}

absl::StatusOr<Json> JobVariablesOf(const Arguments& arguments) {
  Json variables = Json::object();
  RETURN_IF_ERROR(LayAssignments(arguments.All("job-variable"), "--job-variable", variables));
  return variables;
}

}  // namespace forebay::cli
