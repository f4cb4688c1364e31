#pragma once

// The rendered configuration of a scripted run. Pure; thread-safe.

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "worker/launch/launcher.h"

namespace forebay::worker {

struct Script {
  std::string display_name;
  // Command, environment and labels as the run tells of them.
  std::vector<std::string> first_lines;
  int64_t output_lines = 0;
  absl::Duration launch_delay;
  // Empty: the launch succeeds.
  std::string launch_error;
  bool launch_error_retryable = false;
  absl::Duration duration;
  int exit_code = 0;
  // 0: it exits.
  int signal = 0;
  bool ignore_stop = false;

  int64_t lines() const { return static_cast<int64_t>(first_lines.size()) + output_lines; }
  std::string Line(int64_t sequence) const;
};

// Reads all of the configuration; INVALID_ARGUMENT (INVALID_JOB) names the first field that is
// wrong or unknown.
absl::StatusOr<Script> TypeScript(const LaunchSpec& launch);

}  // namespace forebay::worker
