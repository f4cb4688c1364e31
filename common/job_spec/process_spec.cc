#include "common/job_spec/process_spec.h"

#include <algorithm>

#include "common/base/status.h"
#include "common/job_spec/environment_names.h"
#include "common/job_spec/job_fields.h"

namespace forebay {
namespace {

absl::Status ReadLimits(const Json* limits, ProcessJob& job) {
  if (limits == nullptr) return absl::OkStatus();
  constexpr int64_t kLeastMemory = 1 << 20;
  constexpr int64_t kLeastFiles = 8;
  JobFields fields(*limits, "limits.");
  fields.Get("cpu_seconds", job.cpu_seconds, 1);
  fields.Get("memory", job.memory_bytes, kLeastMemory);
  fields.Get("open_files", job.open_files, kLeastFiles);
  return fields.Finish();
}

absl::Status CheckCommand(const std::vector<std::string>& command) {
  if (!command.empty() && command[0].empty()) {
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

absl::StatusOr<ProcessJob> TypeProcessJob(const Json& configuration) {
  ProcessJob job;
  JobFields fields(configuration, "");
  fields.Get("name", job.display_name);
  const Json* env = fields.GetObject("env");
  fields.Get("labels", job.labels);
  fields.Get("command", job.command);
  fields.Get("working_dir", job.working_dir);
  fields.Get("stream_output", job.stream_output);
  fields.Get("user", job.user);
  const Json* limits = fields.GetObject("limits");
  RETURN_IF_ERROR(fields.Finish());
  RETURN_IF_ERROR(ReadLimits(limits, job));
  RETURN_IF_ERROR(CheckCommand(job.command));
  RETURN_IF_ERROR(CheckDirectory(job.working_dir));
  if (env != nullptr) RETURN_IF_ERROR(CheckEnvNames(*env));
  return job;
}

}  // namespace forebay
