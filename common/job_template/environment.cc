#include "common/job_template/environment.h"

#include <nlohmann/json.hpp>
#include <utility>

#include "common/base/status.h"

namespace forebay {
namespace {

Error InvalidEnv(std::string_view name, const Json& value) {
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_ENV")
      .Field(fmt::format("env.{}", name), DumpJson(value));
}

absl::StatusOr<std::string> TextOf(std::string_view name, const Json& value) {
  if (value.is_structured()) {
    return InvalidEnv(name, value)
        .Says("environment variable `{}` must be text, a number, a boolean or null, not {}", name,
              JsonTypeName(value));
  }
  std::string text = value.is_string() ? value.get<std::string>() : DumpJson(value);
  if (text.find('\0') == std::string::npos) return text;
  return InvalidEnv(name, value).Says("environment variable `{}` holds a NUL character", name);
}

absl::Status ApplyOne(const std::string& name, const Json& value,
                      std::map<std::string, std::string>& environment) {
  if (name.empty() || name.find_first_of(std::string_view("=\0", 2)) != std::string::npos) {
    return InvalidEnv(name, value)
        .Says("`{}` is no environment variable's name: it is empty or holds `=` or NUL", name);
  }
  if (value.is_null()) {
    environment.erase(name);
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(environment[name], TextOf(name, value));
  return absl::OkStatus();
}

}  // namespace

absl::Status ApplyEnv(const Json& env, std::map<std::string, std::string>& environment) {
  if (env.is_null()) return absl::OkStatus();
  if (!env.is_object()) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_ENV")
        .Field("env", DumpJson(env))
        .Says("`env` must be an object of names and values, not {}", JsonTypeName(env));
  }
  auto changed = environment;
  for (const auto& [name, value] : env.items()) RETURN_IF_ERROR(ApplyOne(name, value, changed));
  environment = std::move(changed);
  return absl::OkStatus();
}

}  // namespace forebay
