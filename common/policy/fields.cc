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
