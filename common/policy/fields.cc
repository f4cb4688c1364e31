#include "common/policy/fields.h"

#include <algorithm>

namespace forebay {
namespace {

using enum FieldKind;
using BuiltIn = FieldRule::BuiltIn;

constexpr FieldRule kDocker[] = {
    {"name", kText},
    {"env", kNames},
    {"labels", kNames},
    {"command", kList},
    {"entrypoint", kList},
    {"image", kImage},
    {"image_pull_policy", kText},
    {"platform", kText},
    {"registry_credentials", kText},
    {"networks", kList, BuiltIn::kOwnNetwork},
    {"network_mode", kText, BuiltIn::kOwnNetwork},
    {"volumes", kVolumes, BuiltIn::kNoHostPaths},
    {"working_dir", kText},
    {"user", kText},
    {"privileged", kFlag, BuiltIn::kForbidden},
    {"read_only", kFlag},
    {"cap_add", kList, BuiltIn::kForbidden},
    {"cap_drop", kList},
    {"mem_limit", kSize},
    {"memswap_limit", kSize},
    {"cpus", kNumber},
    {"pids_limit", kNumber},
    {"shm_size", kSize},
    {"gpus", kAny, BuiltIn::kForbidden},
    {"auto_remove", kFlag},
    {"stream_output", kFlag},
};

constexpr FieldRule kKubernetes[] = {
    {"name", kText},
    {"namespace", kText},
    {"env", kNames},
    {"env_from", kList},
    {"labels", kNames},
    {"annotations", kNames},
    {"containers", kList},
    {"command", kList},
    {"entrypoint", kList},
    {"image", kImage},
    {"image_pull_policy", kList},
    {"image_pull_secrets", kList},
    {"service_account", kText},
    {"service_account_token", kFlag},
    {"host_network", kFlag, BuiltIn::kForbidden},
    {"host_pid", kFlag, BuiltIn::kForbidden},
    {"host_ipc", kFlag, BuiltIn::kForbidden},
    {"host_ports", kList, BuiltIn::kForbidden},
    {"privileged", kFlag, BuiltIn::kForbidden},
    {"allow_privilege_escalation", kFlag},
    {"cap_add", kList, BuiltIn::kForbidden},
    {"cap_drop", kList},
    {"run_as_user", kList},
    {"run_as_non_root", kFlag},
    {"groups", kList},
    {"read_only", kFlag},
    {"seccomp_profile", kList, BuiltIn::kConfined},
    {"apparmor_profile", kList, BuiltIn::kConfined},
    {"selinux_options", kList, BuiltIn::kForbidden},
    {"proc_mount", kList, BuiltIn::kForbidden},
    {"sysctls", kList, BuiltIn::kForbidden},
    {"volumes", kList, BuiltIn::kRestrictedVolumes},
    {"node_selector", kList},
    {"tolerations", kList},
    {"runtime_class", kText},
    {"priority_class", kText},
    {"scheduler", kText},
    {"cpu_request", kNumber},
    {"cpu_limit", kNumber},
    {"memory_request", kSize},
    {"memory_limit", kSize},
    {"resources", kList},
    {"active_deadline_seconds", kNumber},
    {"finished_job_ttl", kNumber},
    {"pod_watch_timeout_seconds", kNumber},
    {"stream_output", kFlag},
    {"other", kList},
};

constexpr FieldRule kProcess[] = {
    {"name", kText},          {"env", kNames},
    {"labels", kNames},       {"command", kList},
    {"working_dir", kText},   {"stream_output", kFlag},
    {"user", kText},          {"limits.cpu_seconds", kNumber},
    {"limits.memory", kSize}, {"limits.open_files", kNumber},
};

constexpr FieldRule kScripted[] = {
    {"name", kText},
    {"env", kNames},
    {"labels", kNames},
    {"command", kList},
    {"launch_delay_ms", kNumber},
    {"launch_error", kText},
    {"launch_error_retryable", kFlag},
    {"duration_ms", kNumber},
    {"output_lines", kNumber},
    {"exit_code", kNumber},
    {"signal", kNumber},
    {"ignore_stop", kFlag},
};

}  // namespace

std::span<const FieldRule> FieldsOf(std::string_view pool_type) {
  if (pool_type == "docker") return kDocker;
  if (pool_type == "kubernetes") return kKubernetes;
  if (pool_type == "process") return kProcess;
  if (pool_type == "scripted") return kScripted;
  return {};
}

const FieldRule* FindField(std::string_view pool_type, std::string_view name) {
  const auto fields = FieldsOf(pool_type);
  const auto found = std::ranges::find(fields, name, &FieldRule::name);
  return found == fields.end() ? nullptr : &*found;
}

std::vector<std::string> FieldNames(std::string_view pool_type) {
  std::vector<std::string> names;
  for (const FieldRule& field : FieldsOf(pool_type)) names.emplace_back(field.name);
  return names;
}

std::string_view KindName(FieldKind kind) {
  constexpr std::string_view kNames[] = {"a text",
                                         "true or false",
                                         "a number",
                                         "a size",
                                         "a list",
                                         "an object",
                                         "an image",
                                         "a list of volumes",
                                         "a text, number or list"};
  return kNames[static_cast<size_t>(kind)];
}

}  // namespace forebay
