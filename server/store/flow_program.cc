#include "server/store/flow_program.h"

#include <re2/re2.h>

#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/job_template/pointer.h"

namespace forebay::server {
namespace {

constexpr size_t kMostEntrypointBytes = 1024;
constexpr size_t kMostPullStepBytes = 64 << 10;
constexpr size_t kMostSchemaBytes = 256 << 10;
constexpr char kEntrypointPattern[] = R"([^:\x00-\x1f-][^:\x00-\x1f]*:[A-Za-z_][A-Za-z0-9_.]*)";

absl::Status CheckSize(std::string_view field, const std::string& text, size_t most) {
  if (text.size() <= most) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, "TOO_LARGE")
      .Field(field, std::to_string(text.size()))
      .Says("{} has {} bytes; at most {} are taken", field, text.size(), most);
}

absl::Status CheckEntrypoint(const std::string& entrypoint) {
  RETURN_IF_ERROR(CheckSize("entrypoint", entrypoint, kMostEntrypointBytes));
  static const RE2 pattern(kEntrypointPattern);
  if (RE2::FullMatch(entrypoint, pattern)) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_ENTRYPOINT")
      .Field("entrypoint", entrypoint)
      .Says("entrypoint '{}' is not path/to/file.py:function or package.module:function",
            entrypoint);
}

absl::Status InvalidPullSteps(const std::string& value, std::string_view why) {
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_PULL_STEPS")
      .Field("pull_steps", value)
      .Says(
          "pull_steps {}: they are a list of objects, each with one step's name and its "
          "arguments, like [{{\"set_working_directory\": {{\"directory\": \"/app\"}}}}]",
          why);
}

absl::Status CheckPullSteps(const v1::Deployment& deployment) {
  if (deployment.pull_steps().empty() || deployment.pull_steps() == "[]") return absl::OkStatus();
  RETURN_IF_ERROR(CheckSize("pull_steps", deployment.pull_steps(), kMostPullStepBytes));
  if (deployment.entrypoint().empty())
    return InvalidPullSteps("", "belong to a deployment with an entrypoint");
  ASSIGN_OR_RETURN(const Json steps, ParseJson(deployment.pull_steps(), "pull_steps"));
  if (!steps.is_array()) return InvalidPullSteps(DumpJson(steps), "are no list");
  for (const Json& step : steps) {
    if (!step.is_object() || step.size() != 1 || !step.begin()->is_object())
      return InvalidPullSteps(DumpJson(step), fmt::format("hold {}", DumpJson(step)));
  }
  return absl::OkStatus();
}

absl::Status CommandMissing() {
  return Error(absl::StatusCode::kInvalidArgument, "COMMAND_MISSING")
      .Field("command", "")
      .Next("forebay deploy --name <name> --flow <flow> --pool <pool> -- <command> [argument...]")
      .Says("command is empty; give the program to run after '--'");
}

}  // namespace

std::vector<std::string> EngineCommand() {
  return {"python3", "-m", "forebay", "flow-run", "execute"};
}

std::vector<std::string> CommandOf(const v1::Deployment& deployment) {
  if (deployment.command().empty() && !deployment.entrypoint().empty()) return EngineCommand();
  return {deployment.command().begin(), deployment.command().end()};
}

absl::Status CheckProgram(const v1::Deployment& deployment) {
  const bool named = !deployment.command().empty() && !deployment.command(0).empty();
  const bool absent = deployment.command().empty() && !deployment.entrypoint().empty();
  if (!named && !absent) return CommandMissing();
  if (!deployment.entrypoint().empty()) RETURN_IF_ERROR(CheckEntrypoint(deployment.entrypoint()));
  RETURN_IF_ERROR(CheckPullSteps(deployment));
  if (deployment.parameter_schema().empty()) return absl::OkStatus();
  RETURN_IF_ERROR(CheckSize("parameter_schema", deployment.parameter_schema(), kMostSchemaBytes));
  ASSIGN_OR_RETURN(const JsonSchema schema, ParseParameterSchema(deployment.parameter_schema()));
  ASSIGN_OR_RETURN(const Json parameters, ParseJsonObject(deployment.parameters(), "parameters"));
  return CheckParameters(schema, parameters, false);
}

absl::StatusOr<JsonSchema> ParseParameterSchema(std::string_view text) {
  ASSIGN_OR_RETURN(const Json schema, ParseJsonObject(text, "parameter_schema"));
  return JsonSchema::Parse(schema, "parameter_schema");
}

absl::Status CheckParameters(const JsonSchema& schema, const Json& parameters, bool complete) {
  const auto violations = schema.Validate(parameters, {.require_top = complete});
  if (violations.empty()) return absl::OkStatus();
  const SchemaViolation& first = violations.front();
  const std::string dotted = DottedPointer(first.pointer);
  const bool missing = first.rule == "required";
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_PARAMETERS")
      .Field("parameters" + dotted, missing ? "" : first.value)
      .With("rule", first.rule)
      .With("allowed", first.allowed)
      .With("nearest", first.nearest)
      .Says("{}{} {}{}",
            dotted.empty() ? "parameters" : fmt::format("parameter `{}`", dotted.substr(1)),
            missing || dotted.empty() ? "" : fmt::format(" is {} and", first.value), first.message,
            violations.size() == 1 ? "" : fmt::format(" (and {} more)", violations.size() - 1));
}

}  // namespace forebay::server
