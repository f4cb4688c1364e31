#include "worker/launch/process/process_spec.h"

#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/job_spec/job_fields.h"
#include "common/job_spec/process_spec.h"

namespace forebay::worker {

absl::StatusOr<ProcessSpec> TypeProcessSpec(const LaunchSpec& launch) {
  ASSIGN_OR_RETURN(ProcessJob job, TypeProcessJob(launch.configuration));
  ProcessSpec spec;
  spec.display_name = job.display_name.empty() ? launch.name : job.display_name;
  spec.command = job.command.empty() ? launch.command : job.command;
  if (spec.command.empty() || spec.command[0].empty()) {
    return InvalidJob("command", "", "is empty: there is nothing to run");
  }
  const auto env = launch.configuration.find("env");
  if (env != launch.configuration.end() && env->is_object()) spec.env = &*env;
  spec.labels = std::move(job.labels);
  spec.working_directory = std::move(job.working_dir);
  spec.keep_output = job.stream_output;
  spec.user = std::move(job.user);
  spec.limits.cpu_seconds = job.cpu_seconds;
  spec.limits.memory_bytes = job.memory_bytes;
  spec.limits.open_files = job.open_files;
  return spec;
}

}  // namespace forebay::worker
