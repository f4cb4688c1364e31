#include "worker/launch/process/format/holder_spec.h"

#include "common/base/text.h"
#include "worker/launch/process/format/fields.h"

namespace forebay::holder {
namespace {

void AddUser(std::string& text, const UserIds& user) {
  AddField(text, "uid", int64_t{user.uid});
  AddField(text, "gid", int64_t{user.gid});
  for (gid_t group : user.groups) AddField(text, "group", int64_t{group});
}

// False for a name that belongs to no number.
bool SetNumber(HolderSpec& spec, const std::string& name, int64_t value) {
  if (name == "uid") {
    if (!spec.user.has_value()) spec.user.emplace();
    spec.user->uid = static_cast<uid_t>(value);
  } else if (name == "gid" && spec.user.has_value()) {
    spec.user->gid = static_cast<gid_t>(value);
  } else if (name == "group" && spec.user.has_value()) {
    spec.user->groups.push_back(static_cast<gid_t>(value));
  } else if (name == "cpu_seconds") {
    spec.limits.cpu_seconds = value;
  } else if (name == "memory_bytes") {
    spec.limits.memory_bytes = value;
  } else if (name == "open_files") {
    spec.limits.open_files = value;
  } else if (name == "keep_output") {
    spec.keep_output = value != 0;
  } else if (name == "log_rate_bytes") {
    spec.log_rate_bytes = value;
  } else if (name == "log_burst_bytes") {
    spec.log_burst_bytes = value;
  } else if (name == "grace_millis") {
    spec.grace_millis = value;
  } else {
    return false;
  }
  return true;
}

bool SetText(HolderSpec& spec, Field& field) {
  if (field.name == "name") {
    spec.name = std::move(field.value);
  } else if (field.name == "argv") {
    spec.argv.push_back(std::move(field.value));
  } else if (field.name == "env") {
    spec.environment.push_back(std::move(field.value));
  } else if (field.name == "working_directory") {
    spec.working_directory = std::move(field.value);
  } else {
    return false;
  }
  return true;
}

}  // namespace

std::string Serialize(const HolderSpec& spec) {
  std::string text;
  AddField(text, "name", spec.name);
  for (const std::string& argument : spec.argv) AddField(text, "argv", argument);
  for (const std::string& entry : spec.environment) AddField(text, "env", entry);
  AddField(text, "working_directory", spec.working_directory);
  if (spec.user.has_value()) AddUser(text, *spec.user);
  AddField(text, "cpu_seconds", spec.limits.cpu_seconds);
  AddField(text, "memory_bytes", spec.limits.memory_bytes);
  AddField(text, "open_files", spec.limits.open_files);
  AddField(text, "keep_output", int64_t{spec.keep_output});
  AddField(text, "log_rate_bytes", spec.log_rate_bytes);
  AddField(text, "log_burst_bytes", spec.log_burst_bytes);
  AddField(text, "grace_millis", spec.grace_millis);
  return text;
}

std::optional<HolderSpec> ParseHolderSpec(std::string_view text) {
  auto fields = ParseFields(text);
  if (!fields.has_value()) return std::nullopt;
  HolderSpec spec;
  for (Field& field : *fields) {
    if (SetText(spec, field)) continue;
    const auto number = ParseInt(field.value);
    if (!number.has_value() || !SetNumber(spec, field.name, *number)) return std::nullopt;
  }
  if (spec.name.empty() || spec.argv.empty()) return std::nullopt;
  return spec;
}

}  // namespace forebay::holder
