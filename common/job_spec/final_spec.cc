#include "common/job_spec/final_spec.h"

#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/job_spec/docker_spec.h"
#include "common/job_spec/kubernetes_final.h"
#include "common/job_spec/process_spec.h"
#include "common/job_template/job_template.h"

namespace forebay {
namespace {

// What engines give a container that asks for nothing.
constexpr int64_t kDefaultShm = 64 << 20;
constexpr double kNanosPerCpu = 1e9;
constexpr std::string_view kPullPolicies[] = {"IfNotPresent", "Always", "Never", "IfPossible"};

// Puts what is not empty.
class Fields {
 public:
  explicit Fields(Json& object) : object_(object) {}

  void Put(const char* key, const std::string& text) {
    if (!text.empty()) object_[key] = text;
  }
  void Put(const char* key, const std::vector<std::string>& list) {
    if (!list.empty()) object_[key] = list;
  }
  void Put(const char* key, const std::map<std::string, std::string>& map) {
    for (const auto& [name, value] : map) object_[key][name] = value;
  }
  void Put(const char* key, int64_t number) {
    if (number != 0) object_[key] = number;
  }

 private:
  Json& object_;
};

void PutEnv(const Json& configuration, Json& spec) {
  const auto env = configuration.find("env");
  if (env != configuration.end() && env->is_object() && !env->empty()) spec["env"] = *env;
}

void PutMemory(const DockerSpec& docker, Json& spec) {
  Fields fields(spec);
  fields.Put("mem_limit", docker.mem_limit);
  // Unless told otherwise an engine allows as much swap again.
  if (docker.mem_limit != 0) {
    spec["memswap_limit"] = docker.memswap_limit != 0 ? docker.memswap_limit : 2 * docker.mem_limit;
  }
  spec["shm_size"] = docker.shm_size != 0 ? docker.shm_size : kDefaultShm;
}

void PutNetworks(const DockerSpec& docker, Json& spec) {
  if (!docker.networks.empty()) {
    spec["networks"] = docker.networks;
    return;
  }
  const bool default_one = docker.network_mode.empty() || docker.network_mode == "default";
  spec["network_mode"] = default_one ? "bridge" : docker.network_mode;
}

void PutDevices(const DockerSpec& docker, Json& spec) {
  if (!docker.gpu_ids.empty()) {
    spec["gpus"] = docker.gpu_ids;
  } else if (docker.gpu_count != 0) {
    spec["gpus"] = docker.gpu_count < 0 ? Json("all") : Json(docker.gpu_count);
  }
}

Json ToFinal(const DockerSpec& docker, const Json& configuration) {
  Json spec = Json::object();
  Fields fields(spec);
  fields.Put("name", docker.display_name);
  PutEnv(configuration, spec);
  fields.Put("labels", docker.labels);
  fields.Put("command", docker.command);
  if (docker.entrypoint.has_value()) spec["entrypoint"] = *docker.entrypoint;
  spec["image"] = docker.image.ToString();
  spec["image_pull_policy"] = kPullPolicies[static_cast<size_t>(docker.pull_policy)];
  fields.Put("platform", docker.platform);
  fields.Put("registry_credentials", docker.registry_credentials);
  PutNetworks(docker, spec);
  for (const VolumeMount& volume : docker.volumes) spec["volumes"].push_back(volume.ToString());
  fields.Put("working_dir", docker.working_dir);
  fields.Put("user", docker.user);
  spec["privileged"] = docker.privileged;
  spec["read_only"] = docker.read_only;
  fields.Put("cap_add", docker.cap_add);
  fields.Put("cap_drop", docker.cap_drop);
  PutMemory(docker, spec);
  if (docker.nano_cpus != 0) {
    spec["cpus"] = static_cast<double>(docker.nano_cpus) / kNanosPerCpu;
  }
  fields.Put("pids_limit", docker.pids_limit);
  PutDevices(docker, spec);
  spec["auto_remove"] = docker.auto_remove;
  spec["stream_output"] = docker.stream_output;
  return spec;
}

Json ToFinal(const ProcessJob& job, const Json& configuration) {
  Json spec = Json::object();
  Fields fields(spec);
  fields.Put("name", job.display_name);
  PutEnv(configuration, spec);
  fields.Put("labels", job.labels);
  fields.Put("command", job.command);
  fields.Put("working_dir", job.working_dir);
  spec["stream_output"] = job.stream_output;
  fields.Put("user", job.user);
  Json limits = Json::object();
  Fields of_limits(limits);
  of_limits.Put("cpu_seconds", job.cpu_seconds);
  of_limits.Put("memory", job.memory_bytes);
  of_limits.Put("open_files", job.open_files);
  if (!limits.empty()) spec["limits"] = limits;
  return spec;
}

bool IsAtOrBelow(std::string_view pointer, std::string_view top) {
  return pointer.starts_with(top) && (pointer.size() == top.size() || pointer[top.size()] == '/');
}

// Fields of this type stand elsewhere in the configuration.
FinalJob ToFinal(const KubernetesSpec& job, const Json& configuration,
                 const std::vector<LeafOrigin>& origins) {
  KubernetesFinal made = KubernetesFinalSpec(job, configuration);
  FinalJob final_job{std::move(made.spec), {}};
  for (const FieldSource& source : made.sources) {
    for (const LeafOrigin& leaf : origins) {
      if (IsAtOrBelow(leaf.pointer, source.pointer)) {
        final_job.origins.push_back({source.field, leaf.origin});
      }
    }
  }
  return final_job;
}

}  // namespace

absl::StatusOr<FinalJob> FinalSpecWithOrigins(std::string_view pool_type, const Json& configuration,
                                              const std::vector<LeafOrigin>& origins) {
  if (pool_type == "kubernetes") {
    ASSIGN_OR_RETURN(const KubernetesSpec job, TypeKubernetesSpec(configuration));
    return ToFinal(job, configuration, origins);
  }
  ASSIGN_OR_RETURN(Json spec, FinalSpec(pool_type, configuration));
  return FinalJob{std::move(spec), origins};
}

absl::StatusOr<Json> FinalSpec(std::string_view pool_type, const Json& configuration) {
  if (pool_type == "docker") {
    ASSIGN_OR_RETURN(const DockerSpec docker, TypeDockerSpec(configuration));
    return ToFinal(docker, configuration);
  }
  if (pool_type == "process") {
    ASSIGN_OR_RETURN(const ProcessJob job, TypeProcessJob(configuration));
    return ToFinal(job, configuration);
  }
  if (pool_type == "kubernetes") {
    ASSIGN_OR_RETURN(const KubernetesSpec job, TypeKubernetesSpec(configuration));
    return KubernetesFinalSpec(job, configuration).spec;
  }
  // What is only pretended needs no reading: its configuration is what it does.
  if (pool_type == "scripted") return configuration;
  return Error(absl::StatusCode::kInvalidArgument, "UNKNOWN_POOL_TYPE")
      .Field("type", pool_type)
      .With("allowed", Join(PoolTypes(), ", "))
      .Says("pool type '{}' is not known; known: {}", pool_type, Join(PoolTypes(), ", "));
}

}  // namespace forebay
