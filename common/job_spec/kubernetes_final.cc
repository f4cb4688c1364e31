#include "common/job_spec/kubernetes_final.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "common/job_spec/kubernetes_pod.h"
#include "common/job_spec/kubernetes_resources.h"
#include "common/job_spec/kubernetes_schema.h"
#include "common/job_spec/kubernetes_volumes.h"
#include "common/job_template/pointer.h"

namespace forebay {
namespace {

constexpr char kManifest[] = "/job_manifest";
// What stands for a container that says nothing: its image or the cluster decides.
constexpr char kUnset[] = "unset";

class Builder {
 public:
  Builder(const KubernetesSpec& job, const Json& configuration)
      : job_(job),
        pod_(PodOf(job.manifest)),
        configuration_(configuration),
        places_(ContainersOf(job.manifest)) {
    final_.spec = Json::object();
  }

  KubernetesFinal Build() {
    PutConfiguration();
    PutJob();
    PutPod();
    PutPodSecurity();
    PutCommands();
    for (const ContainerPlace& place : places_) PutContainer(place);
    PutDropped();
    PutAllContainers();
    for (const VolumeText& volume : VolumesOf(job_.manifest)) {
      AddItem("volumes", volume.text, Manifest(volume.pointer));
      if (!volume.image.empty()) AddItem("image", volume.image, Manifest(volume.pointer));
    }
    PutResources();
    for (const ListedField& listed : ListedFields(job_.manifest)) {
      AddItem("other", listed.name, Manifest(listed.pointer));
    }
    return std::move(final_);
  }

 private:
  static std::string Manifest(const std::string& pointer) { return kManifest + pointer; }
  static std::string Pod(const std::string& key) {
    return Manifest(std::string(kPodPointer) + "/" + key);
  }

  void Source(std::string field, std::string pointer) {
    final_.sources.push_back({std::move(field), std::move(pointer)});
  }

  void Put(const std::string& field, Json value, const std::string& pointer) {
    final_.spec[field] = std::move(value);
    Source("/" + field, pointer);
  }
  void PutText(const std::string& field, const std::string& text, const std::string& pointer) {
    if (!text.empty()) Put(field, text, pointer);
  }

  void AddItem(const std::string& field, const std::string& item, const std::string& pointer) {
    Json& list = final_.spec[field];
    if (list.is_null()) list = Json::array();
    const auto found = std::find(list.begin(), list.end(), Json(item));
    Source("/" + field + "/" + std::to_string(found - list.begin()), pointer);
    if (found == list.end()) list.push_back(item);
  }

  void AddName(const std::string& field, const std::string& name, const Json& value,
               const std::string& pointer) {
    final_.spec[field][name] = value;
    Source("/" + field + "/" + PointerStep(name), pointer);
  }
  void AddNames(const std::string& field, const Json* object, const std::string& pointer) {
    if (object == nullptr || !object->is_object()) return;
    for (const auto& [name, value] : object->items()) {
      AddName(field, name, value, pointer + "/" + PointerStep(name));
    }
  }

  void PutConfiguration() {
    PutText("name", job_.display_name, "/name");
    PutText("namespace", job_.name_space, "/namespace");
    for (const auto& [name, value] : job_.labels)
      AddName("labels", name, value, Named("labels", name));
    for (const auto& [name, value] : job_.annotations) {
      AddName("annotations", name, value, Named("annotations", name));
    }
    AddNames("env", MemberOf(&configuration_, "env"), "/env");
    if (!job_.command.empty()) Put("command", job_.command, "/command");
    Put("stream_output", job_.stream_output, "/stream_output");
    if (job_.finished_job_ttl.has_value()) {
      Put("finished_job_ttl", *job_.finished_job_ttl, "/finished_job_ttl");
    }
    Put("pod_watch_timeout_seconds", job_.pod_watch_timeout_seconds, "/pod_watch_timeout_seconds");
  }

  static std::string Named(const char* field, const std::string& name) {
    return std::string("/") + field + "/" + PointerStep(name);
  }

  void PutJob() {
    const Json* spec = MemberOf(&job_.manifest, "spec");
    PutMarks(MemberOf(&job_.manifest, "metadata"), "/metadata");
    PutMarks(MemberOf(MemberOf(spec, "template"), "metadata"), "/spec/template/metadata");
    if (const Json* deadline = MemberOf(spec, "activeDeadlineSeconds")) {
      Put("active_deadline_seconds", *deadline, Manifest("/spec/activeDeadlineSeconds"));
    }
  }

  void PutMarks(const Json* metadata, const std::string& pointer) {
    AddNames("labels", MemberOf(metadata, "labels"), Manifest(pointer + "/labels"));
    AddNames("annotations", MemberOf(metadata, "annotations"), Manifest(pointer + "/annotations"));
  }

  void PutPod() {
    const std::string account = TextOf(pod_, "serviceAccountName");
    Put("service_account", account.empty() ? "default" : account, Pod("serviceAccountName"));
    Put("service_account_token", FlagOf(pod_, "automountServiceAccountToken", true),
        Pod("automountServiceAccountToken"));
    Put("host_network", FlagOf(pod_, "hostNetwork", false), Pod("hostNetwork"));
    Put("host_pid", FlagOf(pod_, "hostPID", false), Pod("hostPID"));
    Put("host_ipc", FlagOf(pod_, "hostIPC", false), Pod("hostIPC"));
    PutText("runtime_class", TextOf(pod_, "runtimeClassName"), Pod("runtimeClassName"));
    PutText("priority_class", TextOf(pod_, "priorityClassName"), Pod("priorityClassName"));
    PutText("scheduler", TextOf(pod_, "schedulerName"), Pod("schedulerName"));
    PutPodLists();
  }

  void PutPodLists() {
    if (const Json* selector = MemberOf(pod_, "nodeSelector")) {
      for (const auto& [name, value] : selector->items()) {
        AddItem("node_selector", fmt::format("{}={}", name, value.get<std::string>()),
                Pod("nodeSelector/" + PointerStep(name)));
      }
    }
    ForEach(MemberOf(pod_, "tolerations"), Pod("tolerations"),
            [&](const Json& item, const std::string& at) {
              AddItem("tolerations", Toleration(item), at);
            });
    ForEach(MemberOf(pod_, "imagePullSecrets"), Pod("imagePullSecrets"),
            [&](const Json& item, const std::string& at) {
              AddItem("image_pull_secrets", TextOf(&item, "name"), at);
            });
    // Those of the configuration stand behind those of the manifest itself.
    ForEach(MemberOf(&configuration_, "image_pull_secrets"), "/image_pull_secrets",
            [&](const Json& item, const std::string& at) {
              AddItem("image_pull_secrets", item.get<std::string>(), at);
            });
  }

  template <typename Function>
  static void ForEach(const Json* list, const std::string& pointer, const Function& function) {
    for (size_t i = 0; list != nullptr && i < list->size(); ++i) {
      function((*list)[i], pointer + "/" + std::to_string(i));
    }
  }

  // key=value:effect, as kubectl taint writes it; "*" for every key and every effect.
  static std::string Toleration(const Json& item) {
    const std::string key = TextOf(&item, "key"), effect = TextOf(&item, "effect");
    std::string text = key.empty() ? "*" : key;
    if (TextOf(&item, "operator") != "Exists") text += "=" + TextOf(&item, "value");
    return text + ":" + (effect.empty() ? "*" : effect);
  }

  void PutPodSecurity() {
    const Json* context = MemberOf(pod_, "securityContext");
    const std::string at = Pod("securityContext");
    if (const Json* group = MemberOf(context, "fsGroup")) {
      AddItem("groups", DumpJson(*group), at + "/fsGroup");
    }
    ForEach(MemberOf(context, "supplementalGroups"), at + "/supplementalGroups",
            [&](const Json& item, const std::string& where) {
              AddItem("groups", DumpJson(item), where);
            });
    ForEach(MemberOf(context, "sysctls"), at + "/sysctls",
            [&](const Json& item, const std::string& where) {
              AddItem("sysctls", TextOf(&item, "name"), where);
            });
    PutSeLinux(MemberOf(context, "seLinuxOptions"), at + "/seLinuxOptions");
  }

  void PutSeLinux(const Json* options, const std::string& at) {
    if (options == nullptr) return;
    for (const auto& [key, value] : options->items()) {
      AddItem("selinux_options", fmt::format("{}={}", key, value.get<std::string>()),
              fmt::format("{}/{}", at, key));
    }
  }

  // The container's own word, else the Pod's; where it stands.
  struct Said {
    const Json* value = nullptr;
    std::string pointer;
  };
  Said Effective(const ContainerPlace& place, const std::string& key) const {
    const std::string own = place.pointer + "/securityContext/" + key;
    if (const Json* value = MemberOf(MemberOf(place.container, "securityContext"), key)) {
      return {value, Manifest(own)};
    }
    if (const Json* value = MemberOf(MemberOf(pod_, "securityContext"), key)) {
      return {value, Pod("securityContext/" + key)};
    }
    return {nullptr, Manifest(own)};
  }

  // What stands before the command of the run, and what runs when there is none.
  void PutCommands() {
    const ContainerPlace& main = places_[job_.main_index];
    if (const Json* command = MemberOf(main.container, "command")) {
      Put("entrypoint", *command, Manifest(main.pointer + "/command"));
    }
    const Json* args = MemberOf(main.container, "args");
    if (args != nullptr && job_.command.empty()) {
      Put("command", *args, Manifest(main.pointer + "/args"));
    }
  }

  void PutContainer(const ContainerPlace& place) {
    const std::string kind = place.sidecar ? "sidecar:" : place.init ? "init:" : "";
    AddItem("containers", kind + TextOf(place.container, "name"),
            Manifest(place.pointer + "/name"));
    AddItem("image", TextOf(place.container, "image"), Manifest(place.pointer + "/image"));
    if (const std::string policy = TextOf(place.container, "imagePullPolicy"); !policy.empty()) {
      AddItem("image_pull_policy", policy, Manifest(place.pointer + "/imagePullPolicy"));
    }
    PutEnv(place);
    ForEach(MemberOf(place.container, "ports"), Manifest(place.pointer + "/ports"),
            [&](const Json& port, const std::string& at) {
              const Json* host = MemberOf(&port, "hostPort");
              if (host != nullptr && *host != 0)
                AddItem("host_ports", DumpJson(*host), at + "/hostPort");
            });
    PutIdentity(place);
    PutProfiles(place);
    PutRights(place);
  }

  void PutEnv(const ContainerPlace& place) {
    ForEach(MemberOf(place.container, "env"), Manifest(place.pointer + "/env"),
            [&](const Json& item, const std::string& at) {
              const Json* from = MemberOf(&item, "valueFrom");
              AddName("env", TextOf(&item, "name"),
                      from != nullptr ? *from : Json(TextOf(&item, "value")), at);
              AddReference("secret:", MemberOf(from, "secretKeyRef"), at);
              AddReference("configMap:", MemberOf(from, "configMapKeyRef"), at);
            });
    ForEach(MemberOf(place.container, "envFrom"), Manifest(place.pointer + "/envFrom"),
            [&](const Json& item, const std::string& at) {
              AddReference("secret:", MemberOf(&item, "secretRef"), at);
              AddReference("configMap:", MemberOf(&item, "configMapRef"), at);
            });
  }

  void AddReference(const char* kind, const Json* reference, const std::string& at) {
    if (reference != nullptr) AddItem("env_from", kind + TextOf(reference, "name"), at);
  }

  void PutIdentity(const ContainerPlace& place) {
    const Said user = Effective(place, "runAsUser");
    AddItem("run_as_user", user.value == nullptr ? kUnset : DumpJson(*user.value), user.pointer);
    const Said group = Effective(place, "runAsGroup");
    if (group.value != nullptr) AddItem("groups", DumpJson(*group.value), group.pointer);
  }

  void PutProfiles(const ContainerPlace& place) {
    const std::pair<const char*, const char*> profiles[] = {
        {"seccomp_profile", "seccompProfile"}, {"apparmor_profile", "appArmorProfile"}};
    for (const auto& [field, key] : profiles) {
      const Said profile = Effective(place, key);
      const std::string type = TextOf(profile.value, "type");
      const std::string local = TextOf(profile.value, "localhostProfile");
      const std::string text = local.empty() ? type : fmt::format("{}:{}", type, local);
      AddItem(field, text.empty() ? kUnset : text, profile.pointer);
    }
  }

  void PutRights(const ContainerPlace& place) {
    const Json* context = MemberOf(place.container, "securityContext");
    const std::string at = Manifest(place.pointer + "/securityContext");
    PutAny("privileged", FlagOf(context, "privileged", false), at + "/privileged");
    PutAny("allow_privilege_escalation", FlagOf(context, "allowPrivilegeEscalation", true),
           at + "/allowPrivilegeEscalation");
    ForEach(MemberOf(MemberOf(context, "capabilities"), "add"), at + "/capabilities/add",
            [&](const Json& item, const std::string& where) {
              AddItem("cap_add", Capability(item), where);
            });
    const std::string mount = TextOf(context, "procMount");
    if (!mount.empty() && mount != "Default") AddItem("proc_mount", mount, at + "/procMount");
    PutSeLinux(MemberOf(context, "seLinuxOptions"), at + "/seLinuxOptions");
  }

  // True as soon as it is for one container.
  void PutAny(const std::string& field, bool value, const std::string& pointer) {
    const bool before = final_.spec.value(field, false);
    if (value || !final_.spec.contains(field)) Put(field, before || value, pointer);
  }

  // Upper case without CAP_, as runtimes take them.
  static std::string Capability(const Json& name) {
    std::string text = name.get<std::string>();
    for (char& c : text) {
      if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return text.starts_with("CAP_") ? text.substr(4) : text;
  }

  // What every container drops; all of them are in ALL.
  void PutDropped() {
    std::optional<std::vector<std::string>> common;
    for (const ContainerPlace& place : places_) {
      const Json* context = MemberOf(place.container, "securityContext");
      std::vector<std::string> dropped;
      ForEach(MemberOf(MemberOf(context, "capabilities"), "drop"), "",
              [&](const Json& item, const std::string&) { dropped.push_back(Capability(item)); });
      if (!common.has_value()) {
        common = dropped;
        continue;
      }
      std::erase_if(
          *common, [&](const std::string& name) { return std::ranges::count(dropped, name) == 0; });
    }
    for (const std::string& name : *common) {
      AddItem("cap_drop", name,
              Manifest(places_.front().pointer + "/securityContext/capabilities/drop"));
    }
  }

  void PutAllContainers() {
    PutForAll("run_as_non_root", "runAsNonRoot");
    PutForAll("read_only", "readOnlyRootFilesystem");
  }

  // True when it is for every container.
  void PutForAll(const std::string& field, const std::string& key) {
    bool all = true;
    for (const ContainerPlace& place : places_) {
      const Said said = Effective(place, key);
      all = all && said.value != nullptr && *said.value == true;
      Source("/" + field, said.pointer);
    }
    final_.spec[field] = all;
  }

  void PutResources() {
    const PodResources resources = ResourcesOf(job_.manifest);
    constexpr double kMilli = 1000;
    const auto source = [&](const char* field, const char* key) {
      for (const ContainerPlace& place : places_) {
        Source(std::string("/") + field, Manifest(place.pointer + "/resources/" + key));
      }
    };
    final_.spec["cpu_request"] = static_cast<double>(resources.cpu_request.Millis()) / kMilli;
    source("cpu_request", "requests");
    final_.spec["memory_request"] = resources.memory_request.Whole();
    source("memory_request", "requests");
    if (resources.cpu_limit.has_value()) {
      final_.spec["cpu_limit"] = static_cast<double>(resources.cpu_limit->Millis()) / kMilli;
      source("cpu_limit", "limits");
    }
    if (resources.memory_limit.has_value()) {
      final_.spec["memory_limit"] = resources.memory_limit->Whole();
      source("memory_limit", "limits");
    }
    for (const OtherResource& other : resources.others) {
      AddItem("resources", other.name, Manifest(other.pointer));
    }
  }

  const KubernetesSpec& job_;
  const Json* pod_;
  const Json& configuration_;
  const std::vector<ContainerPlace> places_;
  KubernetesFinal final_;
};

}  // namespace

KubernetesFinal KubernetesFinalSpec(const KubernetesSpec& job, const Json& configuration) {
  return Builder(job, configuration).Build();
}

}  // namespace forebay
