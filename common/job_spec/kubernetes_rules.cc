#include "common/job_spec/kubernetes_rules.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/job_spec/environment_names.h"
#include "common/job_spec/job_fields.h"
#include "common/job_spec/kubernetes_names.h"
#include "common/job_spec/kubernetes_pod.h"
#include "common/job_spec/kubernetes_schema.h"
#include "common/job_spec/mount.h"
#include "common/job_spec/quantity.h"
#include "common/job_template/pointer.h"

namespace forebay {
namespace {

constexpr std::string_view kMainName = "main";
const std::string kPod(kPodPointer);

absl::Status Wrong(const std::string& pointer, const Json* value, std::string_view problem) {
  return InvalidJob(ManifestField(pointer), value == nullptr ? "" : DumpJson(*value), problem);
}

// `value` must be one of `allowed`, or absent.
absl::Status OneOf(const Json* object, const std::string& pointer, const char* key,
                   const std::vector<std::string>& allowed) {
  const Json* value = MemberOf(object, key);
  if (value == nullptr) return absl::OkStatus();
  const auto text = value->is_string() ? value->get<std::string>() : DumpJson(*value);
  if (std::ranges::count(allowed, text) > 0) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_JOB")
      .Field(ManifestField(pointer + "/" + key), DumpJson(*value))
      .With("nearest", NearestName(text, allowed))
      .With("allowed", Join(allowed, ", "))
      .Says("job configuration: '{}' is {}; here it can only be {}",
            ManifestField(pointer + "/" + key), DumpJson(*value), Join(allowed, ", "));
}

absl::Status CheckJob(const Json& manifest) {
  if (TextOf(&manifest, "apiVersion") != "batch/v1") {
    return Wrong("/apiVersion", MemberOf(&manifest, "apiVersion"), "is not batch/v1");
  }
  if (TextOf(&manifest, "kind") != "Job") {
    return Wrong("/kind", MemberOf(&manifest, "kind"), "is not Job");
  }
  const Json* spec = MemberOf(&manifest, "spec");
  RETURN_IF_ERROR(OneOf(spec, "/spec", "backoffLimit", {"0"}));
  RETURN_IF_ERROR(OneOf(spec, "/spec", "parallelism", {"1"}));
  RETURN_IF_ERROR(OneOf(spec, "/spec", "completions", {"1"}));
  RETURN_IF_ERROR(OneOf(spec, "/spec", "completionMode", {"NonIndexed"}));
  RETURN_IF_ERROR(OneOf(spec, "/spec", "suspend", {"false"}));
  const Json* deadline = MemberOf(spec, "activeDeadlineSeconds");
  if (deadline != nullptr && *deadline < 1) {
    return Wrong("/spec/activeDeadlineSeconds", deadline, "is less than 1");
  }
  RETURN_IF_ERROR(OneOf(PodOf(manifest), kPod, "restartPolicy", {"Never"}));
  return OneOf(MemberOf(PodOf(manifest), "os"), kPod + "/os", "name", {"linux"});
}

absl::Status CheckMetadata(const Json* metadata, const std::string& pointer) {
  if (const Json* labels = MemberOf(metadata, "labels")) {
    RETURN_IF_ERROR(CheckMarkNames(*labels, ManifestField(pointer + "/labels")));
    for (const auto& [name, value] : labels->items()) {
      if (IsLabelValue(value.get_ref<const std::string&>())) continue;
      return Wrong(
          pointer + "/labels/" + PointerStep(name), &value,
          "is no value of a label: at most 63 of [A-Za-z0-9._-], beginning and ending with "
          "a letter or a digit");
    }
  }
  const Json* annotations = MemberOf(metadata, "annotations");
  if (annotations == nullptr) return absl::OkStatus();
  return CheckMarkNames(*annotations, ManifestField(pointer + "/annotations"));
}

// Another run's Secret holds that run's ticket.
absl::Status RefuseRunSecrets(const Json& value, const std::string& pointer) {
  if (value.is_string() && IsRunObjectName(value.get_ref<const std::string&>())) {
    return Wrong(pointer, &value, "is what Forebay keeps for one run, and not for others to read");
  }
  if (!value.is_structured()) return absl::OkStatus();
  size_t index = 0;
  for (const auto& [key, child] : value.items()) {
    const std::string step = value.is_array() ? std::to_string(index++) : PointerStep(key);
    RETURN_IF_ERROR(RefuseRunSecrets(child, fmt::format("{}/{}", pointer, step)));
  }
  return absl::OkStatus();
}

absl::Status CheckVolumes(const Json* volumes) {
  if (volumes == nullptr) return absl::OkStatus();
  for (size_t i = 0; i < volumes->size(); ++i) {
    const Json& volume = (*volumes)[i];
    const std::string pointer = kPod + "/volumes/" + std::to_string(i);
    const std::string name = TextOf(&volume, "name");
    if (!IsDnsLabel(name)) {
      return Wrong(pointer + "/name", MemberOf(&volume, "name"), "must be a name of [a-z0-9-]");
    }
    int kinds = 0;
    for (const auto& [key, value] : volume.items()) kinds += IsVolumeKind(key) ? 1 : 0;
    if (kinds != 1) return Wrong(pointer, &volume, "must say exactly one thing that it is");
    // Rules compare it as it is written.
    const Json* path = MemberOf(MemberOf(&volume, "hostPath"), "path");
    if (MemberOf(&volume, "hostPath") != nullptr &&
        (path == nullptr || !IsPlainPath(path->get<std::string>()))) {
      return Wrong(pointer + "/hostPath/path", path,
                   "is not an absolute path without '.', '..' and '//'");
    }
  }
  return RefuseRunSecrets(*volumes, kPod + "/volumes");
}

absl::Status CheckMounts(const ContainerPlace& place, const std::set<std::string>& volumes) {
  const Json* mounts = MemberOf(place.container, "volumeMounts");
  for (size_t i = 0; mounts != nullptr && i < mounts->size(); ++i) {
    const Json& mount = (*mounts)[i];
    const std::string pointer = place.pointer + "/volumeMounts/" + std::to_string(i);
    if (!volumes.contains(TextOf(&mount, "name"))) {
      return Wrong(pointer + "/name", MemberOf(&mount, "name"), "does not name one of the volumes");
    }
    const std::string path = TextOf(&mount, "mountPath");
    if (IsPlainPath(path) && path != "/") continue;
    return Wrong(pointer + "/mountPath", MemberOf(&mount, "mountPath"),
                 "is not an absolute path below '/' without '.', '..' and '//'");
  }
  return absl::OkStatus();
}

std::set<std::string> VolumeNames(const Json& manifest) {
  std::set<std::string> names;
  const Json* volumes = MemberOf(PodOf(manifest), "volumes");
  for (size_t i = 0; volumes != nullptr && i < volumes->size(); ++i) {
    names.insert(TextOf(&(*volumes)[i], "name"));
  }
  return names;
}

absl::Status CheckEnv(const ContainerPlace& place) {
  const Json* env = MemberOf(place.container, "env");
  for (size_t i = 0; env != nullptr && i < env->size(); ++i) {
    const std::string pointer = place.pointer + "/env/" + std::to_string(i);
    const std::string name = TextOf(&(*env)[i], "name");
    if (!IsVariableName(name)) {
      return Wrong(pointer + "/name", MemberOf(&(*env)[i], "name"),
                   "is no name of an environment variable for Kubernetes: [A-Za-z0-9._-], not "
                   "beginning with a digit");
    }
    if (IsProtectedEnvName(name)) {
      return Wrong(pointer + "/name", MemberOf(&(*env)[i], "name"),
                   "is a protected name; a job must not set it");
    }
  }
  const Json* from = MemberOf(place.container, "envFrom");
  for (size_t i = 0; from != nullptr && i < from->size(); ++i) {
    const std::string prefix = TextOf(&(*from)[i], "prefix");
    if (prefix.empty() || (IsVariableName(prefix) && !IsProtectedEnvName(prefix))) continue;
    return Wrong(place.pointer + "/envFrom/" + std::to_string(i) + "/prefix",
                 MemberOf(&(*from)[i], "prefix"), "cannot begin names that a job may set");
  }
  if (env != nullptr) RETURN_IF_ERROR(RefuseRunSecrets(*env, place.pointer + "/env"));
  return from == nullptr ? absl::OkStatus() : RefuseRunSecrets(*from, place.pointer + "/envFrom");
}

// The API server would say it when the Job is made: late.
absl::Status CheckResources(const ContainerPlace& place) {
  const Json* resources = MemberOf(place.container, "resources");
  const Json* requests = MemberOf(resources, "requests");
  const Json* limits = MemberOf(resources, "limits");
  if (requests == nullptr || limits == nullptr) return absl::OkStatus();
  for (const auto& [name, amount] : requests->items()) {
    const Json* limit = MemberOf(limits, name);
    if (limit == nullptr || QuantityOf(amount)->nanos <= QuantityOf(*limit)->nanos) continue;
    return Wrong(place.pointer + "/resources/requests/" + PointerStep(name), &amount,
                 fmt::format("is more than the limit {}", DumpJson(*limit)));
  }
  return absl::OkStatus();
}

absl::Status CheckWords(const ContainerPlace& place) {
  for (const char* key : {"command", "args"}) {
    const Json* words = MemberOf(place.container, key);
    for (size_t i = 0; words != nullptr && i < words->size(); ++i) {
      if ((*words)[i].get_ref<const std::string&>().find('\0') == std::string::npos) continue;
      return Wrong(fmt::format("{}/{}/{}", place.pointer, key, i), nullptr,
                   "holds a NUL character");
    }
  }
  return absl::OkStatus();
}

absl::Status CheckContainer(const ContainerPlace& place, const std::set<std::string>& volumes,
                            std::set<std::string>& names) {
  const std::string name = TextOf(place.container, "name");
  if (!IsDnsLabel(name)) {
    return Wrong(place.pointer + "/name", MemberOf(place.container, "name"),
                 "must be a name of [a-z0-9-]");
  }
  if (!names.insert(name).second) {
    return Wrong(place.pointer + "/name", MemberOf(place.container, "name"),
                 "is the name of another container too");
  }
  const Json* restart = MemberOf(place.container, "restartPolicy");
  if (restart != nullptr && !place.sidecar) {
    return Wrong(place.pointer + "/restartPolicy", restart,
                 "can only be Always, and only of an init container");
  }
  RETURN_IF_ERROR(OneOf(place.container, place.pointer, "imagePullPolicy",
                        {"Always", "IfNotPresent", "Never"}));
  RETURN_IF_ERROR(OneOf(place.container, place.pointer, "terminationMessagePolicy",
                        {"File", "FallbackToLogsOnError"}));
  RETURN_IF_ERROR(CheckWords(place));
  RETURN_IF_ERROR(CheckEnv(place));
  RETURN_IF_ERROR(CheckMounts(place, volumes));
  return CheckResources(place);
}

// Ours is put there by the launcher.
absl::Status CheckSchedulingGates(const Json* gates) {
  for (size_t i = 0; gates != nullptr && i < gates->size(); ++i) {
    const std::string name = TextOf(&(*gates)[i], "name");
    if (IsMarkName(name) && !name.starts_with("forebay.io/")) continue;
    return Wrong(kPod + "/schedulingGates/" + std::to_string(i) + "/name",
                 MemberOf(&(*gates)[i], "name"), "is no name of a gate of others");
  }
  return absl::OkStatus();
}

absl::Status CheckPodNames(const Json* pod) {
  if (const Json* account = MemberOf(pod, "serviceAccountName");
      account != nullptr && !IsDnsSubdomain(account->get_ref<const std::string&>())) {
    return Wrong(kPod + "/serviceAccountName", account, "is no name of a service account");
  }
  const Json* selector = MemberOf(pod, "nodeSelector");
  if (selector == nullptr) return absl::OkStatus();
  for (const auto& [name, value] : selector->items()) {
    if (IsMarkName(name) && IsLabelValue(value.get_ref<const std::string&>())) continue;
    return Wrong(kPod + "/nodeSelector/" + PointerStep(name), &value, "is no label of a node");
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckMarkNames(const Json& marks, const std::string& field) {
  for (const auto& [name, value] : marks.items()) {
    const std::string where = field + "." + ToValidUtf8(name);
    const std::string text = value.is_string() ? value.get<std::string>() : DumpJson(value);
    if (!IsMarkName(name)) {
      return InvalidJob(where, text,
                        "has a name that Kubernetes does not take: [prefix/]name, the name at most "
                        "63 of [A-Za-z0-9._-], the prefix a DNS name in lower case");
    }
    const std::string& full = name;
    const auto begins = [&full](const char* prefix) { return full.starts_with(prefix); };
    if (begins("forebay.io/")) {
      return InvalidJob(where, text, "is a name that Forebay keeps for itself");
    }
    if (begins("batch.kubernetes.io/") || name == "job-name" || name == "controller-uid") {
      return InvalidJob(where, text, "is a name that Kubernetes keeps for itself");
    }
    if (begins("container.apparmor.security.beta.kubernetes.io/") ||
        begins("seccomp.security.alpha.kubernetes.io/") ||
        begins("container.seccomp.security.alpha.kubernetes.io/")) {
      return InvalidJob(where, text, "is old and weakens a container: use its securityContext");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<size_t> MainContainer(const Json& manifest) {
  const Json* containers = MemberOf(PodOf(manifest), "containers");
  if (containers == nullptr || containers->empty()) {
    return Wrong(kPod + "/containers", containers, "must have the container that runs the command");
  }
  for (size_t i = 0; i < containers->size(); ++i) {
    if (TextOf(&(*containers)[i], "name") == kMainName) return i;
  }
  return size_t{0};
}

absl::Status CheckManifestRules(const Json& manifest) {
  RETURN_IF_ERROR(CheckJob(manifest));
  const Json* spec = MemberOf(&manifest, "spec");
  RETURN_IF_ERROR(CheckMetadata(MemberOf(&manifest, "metadata"), "/metadata"));
  const Json* pod_metadata = MemberOf(MemberOf(spec, "template"), "metadata");
  if (const Json* name_space = MemberOf(pod_metadata, "namespace")) {
    return Wrong("/spec/template/metadata/namespace", name_space, "is the Job's: leave it out");
  }
  RETURN_IF_ERROR(CheckMetadata(pod_metadata, "/spec/template/metadata"));
  RETURN_IF_ERROR(CheckPodNames(PodOf(manifest)));
  RETURN_IF_ERROR(CheckVolumes(MemberOf(PodOf(manifest), "volumes")));
  if (const Json* secrets = MemberOf(PodOf(manifest), "imagePullSecrets")) {
    RETURN_IF_ERROR(RefuseRunSecrets(*secrets, kPod + "/imagePullSecrets"));
  }
  RETURN_IF_ERROR(CheckSchedulingGates(MemberOf(PodOf(manifest), "schedulingGates")));
  const auto volumes = VolumeNames(manifest);
  std::set<std::string> names;
  for (const ContainerPlace& place : ContainersOf(manifest)) {
    RETURN_IF_ERROR(CheckContainer(place, volumes, names));
  }
  return absl::OkStatus();
}

}  // namespace forebay
