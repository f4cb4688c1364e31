#include "worker/launch/process/process_spec.h"

#include <algorithm>

#include "common/base/status.h"
#include "worker/launch/job_fields.h"

namespace forebay::worker {
namespace {

absl::Status ReadLimits(const Json* limits, holder::Limits& read) {
  if (limits == nullptr) return absl::OkStatus();
  constexpr int64_t kLeastMemory = 1 << 20;
  constexpr int64_t kLeastFiles = 8;
  JobFields fields(*limits, "limits.");
  fields.Get("cpu_seconds", read.cpu_seconds, 1);
  fields.Get("memory", read.memory_bytes, kLeastMemory);
  fields.Get("open_files", read.open_files, kLeastFiles);
  return fields.Finish();
}

absl::Status CheckCommand(const std::vector<std::string>& command) {
  if (command.empty() || command[0].empty()) {
    return InvalidJob("command", "", "is empty: there is nothing to run");
  }
  const auto has_nul = [](const std::string& word) { return word.find('\0') != word.npos; };
  if (std::any_of(command.begin(), command.end(), has_nul)) {
    return InvalidJob("command", "", "holds a NUL byte");
  }
  return absl::OkStatus();
}

absl::Status CheckDirectory(const std::string& path) {
  if (path.empty()) return absl::OkStatus();
  if (path[0] != '/') return InvalidJob("working_dir", path, "is not an absolute path");
  if (path.find('\0') != path.npos) return InvalidJob("working_dir", "", "holds a NUL byte");
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<ProcessSpec> TypeProcessSpec(const LaunchSpec& launch) {
  ProcessSpec spec;
  spec.display_name = launch.name;
  spec.command = launch.command;
  JobFields fields(launch.configuration, "");
  fields.Get("name", spec.display_name);
  spec.env = fields.GetObject("env");
  fields.Get("labels", spec.labels);
  fields.Get("command", spec.command);
  fields.Get("working_dir", spec.working_directory);
  fields.Get("stream_output", spec.keep_output);
  fields.Get("user", spec.user);
  const Json* limits = fields.GetObject("limits");
  RETURN_IF_ERROR(fields.Finish());
  RETURN_IF_ERROR(ReadLimits(limits, spec.limits));
  RETURN_IF_ERROR(CheckCommand(spec.command));
  RETURN_IF_ERROR(CheckDirectory(spec.working_directory));
  return spec;
}

}  // namespace forebay::worker
