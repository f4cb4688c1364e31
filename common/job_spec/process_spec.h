#pragma once

// The job configuration of a process pool, typed. Pure.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/json/json.h"

namespace forebay {

struct ProcessJob {
  // For people; empty: none given.
  std::string display_name;
  std::map<std::string, std::string> labels;
  // Instead of the deployment's command; empty: none given.
  std::vector<std::string> command;
  // Absolute; empty: a fresh temporary directory.
  std::string working_dir;
  bool stream_output = true;
  // Empty: the worker's own.
  std::string user;
  // 0: no limit.
  int64_t cpu_seconds = 0;
  int64_t memory_bytes = 0;
  int64_t open_files = 0;
};

// Reads every key but `env`, which must be an object or null. INVALID_ARGUMENT (INVALID_JOB) names
// the first field that is wrong or unknown.
absl::StatusOr<ProcessJob> TypeProcessJob(const Json& configuration);

}  // namespace forebay
