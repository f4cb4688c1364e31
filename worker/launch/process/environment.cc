#include "worker/launch/process/environment.h"

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/job_spec/environment_names.h"
#include "common/job_template/environment.h"

namespace forebay::worker {
namespace {

constexpr const char* kInherited[] = {"PATH",   "HOME", "LANG",    "LC_ALL", "TZ",
                                      "TMPDIR", "USER", "LOGNAME", "SHELL"};
absl::Status ApplyConfigured(const Json& env, Environment& environment) {
  RETURN_IF_ERROR(CheckEnvNames(env));
  const absl::Status applied = ApplyEnv(env, environment);
  if (applied.ok()) return applied;
  const ErrorDetail detail = DetailOf(applied).value_or(ErrorDetail());
  const auto field = detail.metadata.find("field");
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_JOB")
      .With("field", field == detail.metadata.end() ? "env" : field->second)
      .Says("job configuration: {}", MessageOf(applied));
}

}  // namespace

Environment InheritedEnvironment() {
  Environment environment;
  for (const char* name : kInherited) {
    if (const char* value = std::getenv(name)) environment[name] = value;
  }
  return environment;
}

absl::StatusOr<Environment> RunEnvironment(Environment inherited, const Account* account,
                                           const Environment& added, const Json* env) {
  Environment environment = std::move(inherited);
  if (account != nullptr) {
    environment["HOME"] = account->home;
    environment["SHELL"] = account->shell;
    environment["USER"] = environment["LOGNAME"] = account->name;
    environment.erase("TMPDIR");
  }
  for (const auto& [name, value] : added) environment[name] = value;
  if (env != nullptr) RETURN_IF_ERROR(ApplyConfigured(*env, environment));
  return environment;
}

std::vector<std::string> EnvironmentEntries(const Environment& environment) {
  std::vector<std::string> entries;
  for (const auto& [name, value] : environment) entries.push_back(name + "=" + value);
  return entries;
}

}  // namespace forebay::worker
