#pragma once

// Stage 1: the rendered configuration as a typed spec. Pure; thread-safe.

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/json/json.h"
#include "worker/launch/launcher.h"
#include "worker/launch/process/format/holder_spec.h"

namespace forebay::worker {

struct ProcessSpec {
  // What people see in a list of processes.
  std::string display_name;
  std::vector<std::string> command;
  // The configuration's `env`; points into the LaunchSpec, null for none.
  const Json* env = nullptr;
  std::map<std::string, std::string> labels;
  // Empty: a fresh one.
  std::string working_directory;
  bool keep_output = true;
  // Empty: the worker's own.
  std::string user;
  holder::Limits limits;
};

// Reads all of the configuration; INVALID_ARGUMENT (INVALID_JOB) names the first field that is
// wrong or unknown. The launch spec outlives the result.
absl::StatusOr<ProcessSpec> TypeProcessSpec(const LaunchSpec& launch);

}  // namespace forebay::worker
