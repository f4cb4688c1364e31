#pragma once

// A run followed live: its states to standard error, its log to standard output.
//
// Both are long polls that go on where they stopped, so a lost connection costs time and nothing
// else: no line is lost or printed twice.

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cli/session.h"
#include "forebay/v1/flow_run.pb.h"

namespace forebay::cli {

struct LogOptions {
  // Waits for more until the run is over.
  bool follow = false;
  // First line.
  int64_t offset = 0;
  // Each line begins with its time.
  bool timestamps = false;
};

// Prints the log of `flowRuns/{id}`; with -o json one object a line.
absl::Status PrintLog(Session& session, const std::string& run, const LogOptions& options);

// Prints states and log until the run is over, then answers its outcome: OK, RUN_FAILED or
// RUN_CRASHED. WAIT_TIMED_OUT after `timeout`; the run goes on. Ctrl-C ends the process with 130
// after saying how to cancel.
absl::Status FollowRun(Session& session, const std::string& run,
                       std::optional<absl::Duration> timeout);

// "COMPLETED", "FAILED", ….
std::string StateName(const v1::State& state);
bool IsOver(v1::StateType type);

}  // namespace forebay::cli
