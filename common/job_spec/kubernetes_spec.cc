#include "common/job_spec/kubernetes_spec.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/job_spec/environment_names.h"
#include "common/job_spec/image_reference.h"
#include "common/job_spec/job_fields.h"
#include "common/job_spec/kubernetes_names.h"
#include "common/job_spec/kubernetes_pod.h"
#include "common/job_spec/kubernetes_rules.h"
#include "common/job_spec/kubernetes_schema.h"

namespace forebay {
namespace {

constexpr int64_t kMostSeconds = 10LL * 365 * 24 * 3600;

// Kubernetes reads null as absent.
Json WithoutNulls(const Json& value) {
  if (!value.is_structured()) return value;
  if (value.is_array()) {
    Json list = Json::array();
    for (const Json& item : value) list.push_back(WithoutNulls(item));
    return list;
  }
  Json object = Json::object();
  for (const auto& [key, item] : value.items()) {
    if (!item.is_null()) object[key] = WithoutNulls(item);
  }
  return object;
}

absl::Status CheckMarks(const KubernetesSpec& spec) {
  RETURN_IF_ERROR(CheckMarkNames(Json(spec.labels), "labels"));
  return CheckMarkNames(Json(spec.annotations), "annotations");
}

absl::Status CheckNamespace(const KubernetesSpec& spec) {
  if (!IsDnsLabel(spec.name_space)) {
    return InvalidJob("namespace", ToValidUtf8(spec.name_space),
                      "is no name of a namespace: at most 63 of [a-z0-9-], beginning and ending "
                      "with a letter or a digit");
  }
  const std::string said = TextOf(MemberOf(&spec.manifest, "metadata"), "namespace");
  if (said.empty() || said == spec.name_space) return absl::OkStatus();
  return InvalidJob("job_manifest.metadata.namespace", said,
                    fmt::format("is not the namespace of the job, '{}'", spec.name_space));
}

absl::Status CheckNumbers(const KubernetesSpec& spec) {
  if (spec.pod_watch_timeout_seconds > kMostSeconds) {
    return InvalidJob("pod_watch_timeout_seconds", std::to_string(spec.pod_watch_timeout_seconds),
                      "is more than ten years");
  }
  if (spec.finished_job_ttl.value_or(0) > kMostSeconds) {
    return InvalidJob("finished_job_ttl", std::to_string(*spec.finished_job_ttl),
                      "is more than ten years");
  }
  return absl::OkStatus();
}

absl::Status CheckCommand(const KubernetesSpec& spec) {
  if (!spec.command.empty() && spec.command[0].empty()) {
    return InvalidJob("command", "", "is empty: there is nothing to run");
  }
  const auto has_nul = [](const std::string& word) { return word.find('\0') != word.npos; };
  if (std::ranges::any_of(spec.command, has_nul)) {
    return InvalidJob("command", "", "holds a NUL character");
  }
  return absl::OkStatus();
}

absl::Status CheckEnvironment(const Json* env) {
  if (env == nullptr) return absl::OkStatus();
  RETURN_IF_ERROR(CheckEnvNames(*env));
  for (const auto& [name, value] : env->items()) {
    if (IsVariableName(name)) continue;
    return InvalidJob("env." + ToValidUtf8(name), "",
                      "is no name of an environment variable for Kubernetes: [A-Za-z0-9._-], not "
                      "beginning with a digit");
  }
  return absl::OkStatus();
}

// In full, so that what a policy decided is what is pulled.
absl::Status NameImages(Json& manifest) {
  for (const ContainerPlace& place : ContainersOf(manifest)) {
    const std::string pointer = place.pointer + "/image";
    ASSIGN_OR_RETURN(const ImageReference image,
                     ParseImageReference(TextOf(place.container, "image"), ManifestField(pointer)));
    manifest[Json::json_pointer(pointer)] = image.ToString();
  }
  const Json* volumes = MemberOf(PodOf(manifest), "volumes");
  for (size_t i = 0; volumes != nullptr && i < volumes->size(); ++i) {
    const Json* image = MemberOf(&(*volumes)[i], "image");
    if (image == nullptr) continue;
    const std::string pointer = fmt::format("{}/volumes/{}/image/reference", kPodPointer, i);
    ASSIGN_OR_RETURN(const ImageReference reference,
                     ParseImageReference(TextOf(image, "reference"), ManifestField(pointer)));
    manifest[Json::json_pointer(pointer)] = reference.ToString();
  }
  return absl::OkStatus();
}

absl::Status AddPullSecrets(const std::vector<std::string>& names, Json& manifest) {
  for (const std::string& name : names) {
    if (!IsDnsSubdomain(name) || IsRunObjectName(name)) {
      return InvalidJob("image_pull_secrets", ToValidUtf8(name),
                        "holds what is no name of a Secret with credentials");
    }
    manifest["spec"]["template"]["spec"]["imagePullSecrets"].push_back({{"name", name}});
  }
  return absl::OkStatus();
}

absl::Status ReadManifest(const Json* manifest, const std::vector<std::string>& pull_secrets,
                          KubernetesSpec& spec) {
  if (manifest == nullptr) {
    return InvalidJob("job_manifest", "", "must be there: a complete batch/v1 Job");
  }
  spec.manifest = WithoutNulls(*manifest);
  RETURN_IF_ERROR(CheckManifestShape(spec.manifest, "job_manifest"));
  ASSIGN_OR_RETURN(spec.main_index, MainContainer(spec.manifest));
  RETURN_IF_ERROR(CheckManifestRules(spec.manifest));
  RETURN_IF_ERROR(NameImages(spec.manifest));
  RETURN_IF_ERROR(AddPullSecrets(pull_secrets, spec.manifest));
  spec.main_container = TextOf(ContainersOf(spec.manifest)[spec.main_index].container, "name");
  spec.manifest["spec"]["backoffLimit"] = 0;
  spec.manifest["spec"]["template"]["spec"]["restartPolicy"] = "Never";
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<KubernetesSpec> TypeKubernetesSpec(const Json& configuration) {
  KubernetesSpec spec;
  spec.name_space = "default";
  std::vector<std::string> pull_secrets;
  JobFields fields(configuration, "");
  fields.Get("name", spec.display_name);
  const Json* env = fields.GetObject("env");
  fields.Get("labels", spec.labels);
  fields.Get("annotations", spec.annotations);
  fields.Get("command", spec.command);
  fields.Get("namespace", spec.name_space);
  fields.Get("image_pull_secrets", pull_secrets);
  fields.Get("stream_output", spec.stream_output);
  if (fields.GetValue("finished_job_ttl") != nullptr) {
    fields.Get("finished_job_ttl", spec.finished_job_ttl.emplace(), 0);
  }
  fields.Get("pod_watch_timeout_seconds", spec.pod_watch_timeout_seconds, 1);
  const Json* manifest = fields.GetObject("job_manifest");
  RETURN_IF_ERROR(fields.Finish());
  RETURN_IF_ERROR(CheckNumbers(spec));
  RETURN_IF_ERROR(CheckMarks(spec));
  RETURN_IF_ERROR(CheckCommand(spec));
  RETURN_IF_ERROR(CheckEnvironment(env));
  RETURN_IF_ERROR(ReadManifest(manifest, pull_secrets, spec));
  RETURN_IF_ERROR(CheckNamespace(spec));
  return spec;
}

}  // namespace forebay
