#include "worker/launch/docker/create_request.h"

#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/job_spec/environment_names.h"
#include "common/job_template/environment.h"
#include "worker/launch/docker/labels.h"

namespace forebay::worker {
namespace {

// "NAME=value", and "NAME" alone for one of the image's that is to be unset.
absl::StatusOr<Json> Environment(const LaunchSpec& launch) {
  const auto found = launch.configuration.find("env");
  const Json configured = found == launch.configuration.end() ? Json() : *found;
  RETURN_IF_ERROR(CheckEnvNames(configured));
  auto environment = launch.environment;
  RETURN_IF_ERROR(ApplyEnv(configured, environment));
  Json entries = Json::array();
  for (const auto& [name, value] : environment) entries.push_back(name + "=" + value);
  if (!configured.is_object()) return entries;
  for (const auto& [name, value] : configured.items()) {
    if (value.is_null()) entries.push_back(name);
  }
  return entries;
}

Json Labels(const LaunchSpec& launch, const DockerSpec& spec, const CreateContext& context) {
  Json labels = Json::object();
  for (const auto& [name, value] : spec.labels) labels[name] = value;
  for (const auto& [name, value] : launch.labels) labels[name] = value;
  if (!spec.display_name.empty()) labels[kNameLabel] = spec.display_name;
  labels[kPoolIdLabel] = context.pool_uid;
  labels[kPreparationLinesLabel] = std::to_string(context.preparation_lines);
  labels[kKeepLabel] = spec.auto_remove ? "false" : "true";
  labels[kStreamOutputLabel] = spec.stream_output ? "true" : "false";
  return labels;
}

// Mounts and not binds: a host path that does not exist is an error, not made by root.
Json Mounts(const DockerSpec& spec) {
  Json mounts = Json::array();
  for (const VolumeMount& volume : spec.volumes) {
    mounts.push_back({{"Type", volume.host_path ? "bind" : "volume"},
                      {"Source", volume.source},
                      {"Target", volume.target},
                      {"ReadOnly", volume.read_only}});
  }
  return mounts;
}

Json Devices(const DockerSpec& spec) {
  Json request = {{"Driver", ""}, {"Capabilities", {{"gpu"}}}};
  if (spec.gpu_ids.empty()) {
    request["Count"] = spec.gpu_count;
  } else {
    request["DeviceIDs"] = spec.gpu_ids;
  }
  return Json::array({request});
}

std::string NetworkMode(const DockerSpec& spec) {
  if (!spec.network_mode.empty()) return spec.network_mode;
  return spec.networks.empty() ? "" : spec.networks.front();
}

void SetLimits(const DockerSpec& spec, Json& host) {
  const auto set = [&host](const char* key, int64_t value) {
    if (value != 0) host[key] = value;
  };
  set("Memory", spec.mem_limit);
  set("MemorySwap", spec.memswap_limit);
  set("NanoCpus", spec.nano_cpus);
  set("PidsLimit", spec.pids_limit);
  set("ShmSize", spec.shm_size);
}

// The engine's copy of the output is where a restarted worker reads it again, so neither the
// engine's own options nor a rotation may take it away. They know no word for "no limit".
Json LogConfig(const DockerSpec& spec) {
  if (!spec.stream_output) return {{"Type", "none"}, {"Config", Json::object()}};
  return {{"Type", "json-file"},
          {"Config", {{"max-size", "1024g"}, {"max-file", "2"}, {"compress", "false"}}}};
}

Json HostConfig(const DockerSpec& spec, const CreateContext& context) {
  Json host = Json::object();
  host["LogConfig"] = LogConfig(spec);
  host["RestartPolicy"] = {{"Name", "no"}};
  if (const std::string mode = NetworkMode(spec); !mode.empty()) host["NetworkMode"] = mode;
  SetLimits(spec, host);
  if (spec.privileged) host["Privileged"] = true;
  if (spec.read_only) host["ReadonlyRootfs"] = true;
  if (!spec.cap_add.empty()) host["CapAdd"] = spec.cap_add;
  if (!spec.cap_drop.empty()) host["CapDrop"] = spec.cap_drop;
  if (!spec.volumes.empty()) host["Mounts"] = Mounts(spec);
  if (spec.gpu_count != 0 || !spec.gpu_ids.empty()) host["DeviceRequests"] = Devices(spec);
  if (!context.cgroup_parent.empty()) host["CgroupParent"] = context.cgroup_parent;
  return host;
}

}  // namespace

absl::StatusOr<Json> CreateRequest(const LaunchSpec& launch, const DockerSpec& spec,
                                   const CreateContext& context) {
  Json body = Json::object();
  body["Image"] = spec.image.ToString();
  const auto& command = spec.command.empty() ? launch.command : spec.command;
  if (!command.empty()) body["Cmd"] = command;
  if (spec.entrypoint.has_value()) {
    // The engine takes [] for "the image's own" and [""] for "none".
    body["Entrypoint"] = spec.entrypoint->empty() ? std::vector<std::string>{""} : *spec.entrypoint;
  }
  ASSIGN_OR_RETURN(body["Env"], Environment(launch));
  body["Labels"] = Labels(launch, spec, context);
  if (!spec.user.empty()) body["User"] = spec.user;
  if (!spec.working_dir.empty()) body["WorkingDir"] = spec.working_dir;
  body["AttachStdin"] = false;
  body["Tty"] = false;
  body["HostConfig"] = HostConfig(spec, context);
  return body;
}

}  // namespace forebay::worker
