#include "worker/launch/scripted/script.h"

#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/job_spec/job_fields.h"
#include "worker/launch/process/environment.h"

namespace forebay::worker {
namespace {

absl::Status CheckRange(const char* field, int64_t value, int64_t most) {
  if (value <= most) return absl::OkStatus();
  return InvalidJob(field, std::to_string(value), fmt::format("is more than {}", most));
}

absl::Status CheckNumbers(int64_t exit_code, int64_t signal) {
  constexpr int64_t kMostExitCode = 255;
  constexpr int64_t kMostSignal = 64;
  RETURN_IF_ERROR(CheckRange("exit_code", exit_code, kMostExitCode));
  return CheckRange("signal", signal, kMostSignal);
}

absl::Duration Milliseconds(JobFields& fields, const char* key) {
  int64_t millis = 0;
  fields.Get(key, millis, 0);
  return absl::Milliseconds(millis);
}

}  // namespace

std::string Script::Line(int64_t sequence) const {
  const auto first = static_cast<int64_t>(first_lines.size());
  if (sequence < first) return first_lines[static_cast<size_t>(sequence)];
  return fmt::format("line {}", sequence - first + 1);
}

absl::StatusOr<Script> TypeScript(const LaunchSpec& launch) {
  Script script;
  script.display_name = launch.name;
  std::vector<std::string> command = launch.command;
  std::map<std::string, std::string> labels;
  int64_t exit_code = 0, signal = 0;
  JobFields fields(launch.configuration, "");
  fields.Get("name", script.display_name);
  fields.Get("command", command);
  const Json* env = fields.GetObject("env");
  fields.Get("labels", labels);
  script.launch_delay = Milliseconds(fields, "launch_delay_ms");
  fields.Get("launch_error", script.launch_error);
  fields.Get("launch_error_retryable", script.launch_error_retryable);
  script.duration = Milliseconds(fields, "duration_ms");
  fields.Get("output_lines", script.output_lines, 0);
  fields.Get("exit_code", exit_code, 0);
  fields.Get("signal", signal, 0);
  fields.Get("ignore_stop", script.ignore_stop);
  RETURN_IF_ERROR(fields.Finish());
  RETURN_IF_ERROR(CheckNumbers(exit_code, signal));
  script.exit_code = static_cast<int>(exit_code);
  script.signal = static_cast<int>(signal);

  ASSIGN_OR_RETURN(const Environment environment, RunEnvironment({}, nullptr, {}, env));
  if (!command.empty()) script.first_lines.push_back("command " + DumpJson(Json(command)));
  for (const std::string& entry : EnvironmentEntries(environment)) {
    script.first_lines.push_back("env " + entry);
  }
  for (const auto& [key, value] : labels)
    script.first_lines.push_back("label " + key + "=" + value);
  return script;
}

}  // namespace forebay::worker
