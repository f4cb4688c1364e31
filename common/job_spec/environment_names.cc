#include "common/job_spec/environment_names.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>

#include "common/job_spec/job_fields.h"

namespace forebay {
namespace {

constexpr std::string_view kNames[] = {"PYTHONSTARTUP", "BASH_ENV", "ENV", "IFS"};
constexpr std::string_view kPrefixes[] = {"LD_", "GIT_", "FOREBAY_"};

}  // namespace

bool IsProtectedEnvName(std::string_view name) {
  const auto begins = [name](std::string_view prefix) { return name.starts_with(prefix); };
  return std::ranges::count(kNames, name) > 0 || std::ranges::any_of(kPrefixes, begins);
}

absl::Status CheckEnvNames(const Json& env) {
  if (!env.is_object()) return absl::OkStatus();
  for (const auto& [name, value] : env.items()) {
    if (IsProtectedEnvName(name)) {
      return InvalidJob("env." + name, "", "is a protected name; a job must not set it");
    }
  }
  return absl::OkStatus();
}

}  // namespace forebay
