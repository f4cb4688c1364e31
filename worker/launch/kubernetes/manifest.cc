#include "worker/launch/kubernetes/manifest.h"

#include <absl/strings/escaping.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/job_spec/job_fields.h"
#include "common/job_spec/kubernetes_pod.h"
#include "worker/launch/kubernetes/labels.h"
#include "worker/launch/kubernetes/pod_environment.h"

namespace forebay::worker {
namespace {

constexpr char kTicketVariable[] = "FOREBAY_LAUNCH_TICKET";
constexpr char kDefaultContainer[] = "kubectl.kubernetes.io/default-container";
// The API server takes no Secret with more.
constexpr size_t kMostSecretBytes = 1U << 20;
// Whoever keeps finished Jobs keeps them this long at least: a worker that was away finds out how
// they ended.
constexpr int64_t kLeastTtlSeconds = 300;
constexpr int64_t kMostGraceSeconds = 365LL * 24 * 3600;

absl::Status CheckCommand(const std::vector<std::string>& command) {
  const auto has_nul = [](const std::string& word) { return word.find('\0') != word.npos; };
  if (!std::ranges::any_of(command, has_nul)) return absl::OkStatus();
  return InvalidJob("command", "", "holds a NUL character");
}

absl::Status CheckSecretSize(const PodEnvironment& environment) {
  size_t bytes = 0;
  for (const auto& [key, value] : environment.secret) bytes += key.size() + value.size();
  if (bytes <= kMostSecretBytes) return absl::OkStatus();
  return InvalidJob("env", fmt::format("{} bytes", bytes),
                    fmt::format("with the parameters is larger than what a Secret can hold, {} "
                                "bytes",
                                kMostSecretBytes));
}

// Ours over the configuration's over the manifest's.
Marks MarksOfJob(const LaunchSpec& launch, const KubernetesSpec& spec,
                 const ManifestContext& context) {
  auto labels = spec.labels;
  for (const auto& [name, value] : launch.labels) labels[name] = value;
  labels[kPoolIdLabel] = context.pool_uid;
  Marks marks = MarksOf(labels);
  for (const auto& [name, value] : spec.annotations) marks.annotations[name] = value;
  if (!spec.display_name.empty()) marks.annotations[kNameAnnotation] = spec.display_name;
  marks.annotations[kGatedAnnotation] = IsGated(launch) ? "true" : "false";
  marks.annotations[kMainContainerAnnotation] = spec.main_container;
  marks.annotations[kKeepAnnotation] = spec.finished_job_ttl.has_value() ? "true" : "false";
  marks.annotations[kStreamOutputAnnotation] = spec.stream_output ? "true" : "false";
  marks.annotations[kPodWatchTimeoutAnnotation] = std::to_string(spec.pod_watch_timeout_seconds);
  return marks;
}

void PutMarks(const Marks& marks, Json& metadata) {
  for (const auto& [name, value] : marks.labels) metadata["labels"][name] = value;
  for (const auto& [name, value] : marks.annotations) metadata["annotations"][name] = value;
}

int64_t GraceSeconds(const LaunchSpec& launch) {
  const absl::Duration up = absl::Ceil(launch.cancel_grace, absl::Seconds(1));
  return std::clamp<int64_t>(absl::ToInt64Seconds(up), 0, kMostGraceSeconds);
}

// As on every other infrastructure: arguments of the image's entry point, where it has one and the
// manifest has no other.
void PutCommand(const std::vector<std::string>& command, Json& main) {
  if (command.empty()) return;
  main["args"] = Json::array();
  for (const std::string& word : command) main["args"].push_back(LiteralText(word));
}

// The first of all gates.
void PutGate(Json& pod) {
  Json gates = Json::array({{{"name", kSchedulingGate}}});
  if (const Json* others = MemberOf(&pod, "schedulingGates")) {
    for (const Json& other : *others) gates.push_back(other);
  }
  pod["schedulingGates"] = std::move(gates);
}

void PutNames(const LaunchSpec& launch, const KubernetesSpec& spec, Json& metadata) {
  metadata["name"] = launch.name;
  metadata["namespace"] = spec.name_space;
}

}  // namespace

bool IsGated(const LaunchSpec& launch) { return !launch.environment.contains(kTicketVariable); }

absl::StatusOr<Json> JobManifest(const LaunchSpec& launch, const KubernetesSpec& spec,
                                 const ManifestContext& context) {
  ASSIGN_OR_RETURN(PodEnvironment environment, PodEnvironmentOf(launch, spec));
  const auto& command = spec.command.empty() ? launch.command : spec.command;
  RETURN_IF_ERROR(CheckCommand(command));
  RETURN_IF_ERROR(CheckSecretSize(environment));
  const Marks marks = MarksOfJob(launch, spec, context);
  Json job = spec.manifest;
  PutNames(launch, spec, job["metadata"]);
  PutMarks(marks, job["metadata"]);
  if (spec.finished_job_ttl.has_value()) {
    job["spec"]["ttlSecondsAfterFinished"] = std::max(*spec.finished_job_ttl, kLeastTtlSeconds);
  }
  Json& pod_template = job["spec"]["template"];
  PutMarks(marks, pod_template["metadata"]);
  Json& annotations = pod_template["metadata"]["annotations"];
  if (!annotations.contains(kDefaultContainer))
    annotations[kDefaultContainer] = spec.main_container;
  Json& pod = pod_template["spec"];
  pod["terminationGracePeriodSeconds"] = GraceSeconds(launch);
  if (IsGated(launch)) PutGate(pod);
  Json& main = pod["containers"][spec.main_index];
  main["env"] = std::move(environment.entries);
  PutCommand(command, main);
  return job;
}

std::optional<Json> SecretManifest(const LaunchSpec& launch, const KubernetesSpec& spec,
                                   const ManifestContext& context, std::string_view job_uid) {
  const auto environment = PodEnvironmentOf(launch, spec);
  if (!environment.ok() || environment->secret.empty()) return std::nullopt;
  Json secret = {{"apiVersion", "v1"}, {"kind", "Secret"}};
  PutNames(launch, spec, secret["metadata"]);
  auto labels = launch.labels;
  labels[kPoolIdLabel] = context.pool_uid;
  PutMarks(MarksOf(labels), secret["metadata"]);
  secret["metadata"]["ownerReferences"] = Json::array({{{"apiVersion", "batch/v1"},
                                                        {"kind", "Job"},
                                                        {"name", launch.name},
                                                        {"uid", std::string(job_uid)}}});
  secret["immutable"] = true;
  secret["type"] = "Opaque";
  for (const auto& [key, value] : environment->secret) {
    secret["data"][key] = absl::Base64Escape(absl::string_view(value.data(), value.size()));
  }
  return secret;
}

}  // namespace forebay::worker
