#include "worker/launch/kubernetes/pod_environment.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/job_spec/environment_names.h"
#include "common/job_spec/job_fields.h"
#include "common/job_spec/kubernetes_names.h"
#include "common/job_spec/kubernetes_pod.h"
#include "common/job_template/environment.h"

namespace forebay::worker {
namespace {

// What whoever sees the Job sees by its labels as well, or knows anyway.
constexpr std::string_view kForAllToRead[] = {
    "FOREBAY_RUN_ID",     "FOREBAY_RUN_NAME",   "FOREBAY_ATTEMPT",       "FOREBAY_EPOCH",
    "FOREBAY_FLOW",       "FOREBAY_DEPLOYMENT", "FOREBAY_DEPLOYMENT_ID", "FOREBAY_WORK_POOL",
    "FOREBAY_WORK_QUEUE", "FOREBAY_SERVER",     "FOREBAY_API_URL",       "FOREBAY_WORKER_ID",
    "FOREBAY_WORKER_NAME"};

bool IsForAllToRead(const std::string& name, const std::string& value) {
  if (name == "FOREBAY_PARAMETERS") return value == "{}";
  return std::ranges::count(kForAllToRead, name) > 0;
}

Json Configured(const LaunchSpec& launch) {
  const auto found = launch.configuration.find("env");
  return found == launch.configuration.end() ? Json() : *found;
}

absl::Status CheckNames(const Json& env) {
  RETURN_IF_ERROR(CheckEnvNames(env));
  for (const auto& [name, value] : env.items()) {
    if (IsVariableName(name)) continue;
    return InvalidJob("env." + ToValidUtf8(name), "",
                      "is no name of an environment variable for Kubernetes");
  }
  return absl::OkStatus();
}

void AddSecret(const std::string& secret_name, const std::string& name, const std::string& value,
               PodEnvironment& made) {
  const std::string key = "env." + name;
  made.secret[key] = value;
  made.entries.push_back(
      {{"name", name}, {"valueFrom", {{"secretKeyRef", {{"name", secret_name}, {"key", key}}}}}});
}

}  // namespace

std::string LiteralText(const std::string& text) { return ReplaceAll(text, "$", "$$"); }

absl::StatusOr<PodEnvironment> PodEnvironmentOf(const LaunchSpec& launch,
                                                const KubernetesSpec& spec) {
  const Json configured = Configured(launch);
  if (configured.is_object()) RETURN_IF_ERROR(CheckNames(configured));
  std::map<std::string, std::string> values;
  RETURN_IF_ERROR(ApplyEnv(configured, values));
  PodEnvironment made{Json::array(), {}};
  for (const auto& [name, value] : launch.environment) {
    if (IsForAllToRead(name, value)) {
      made.entries.push_back({{"name", name}, {"value", LiteralText(value)}});
    } else {
      AddSecret(launch.name, name, value, made);
    }
  }
  const auto places = ContainersOf(spec.manifest);
  const Json* own = MemberOf(places[spec.main_index].container, "env");
  for (size_t i = 0; own != nullptr && i < own->size(); ++i) {
    const std::string name = TextOf(&(*own)[i], "name");
    // In its place: what comes behind it may be made of it.
    if (const auto over = values.find(name); over != values.end()) {
      AddSecret(launch.name, name, over->second, made);
      values.erase(over);
    } else if (!configured.is_object() || !configured.contains(name)) {
      made.entries.push_back((*own)[i]);
    }
  }
  for (const auto& [name, value] : values) AddSecret(launch.name, name, value, made);
  return made;
}

}  // namespace forebay::worker
