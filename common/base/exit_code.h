#pragma once

// How the programs of this project end, and what they say when they fail. Pure but for
// PrintFailure.

#include "absl/status/status.h"

namespace forebay {

enum ExitCode : int {
  kExitOk = 0,
  kExitError = 1,
  kExitUsage = 2,
  kExitNotFound = 3,
  kExitDenied = 4,
  kExitConflict = 5,
  kExitRunFailed = 6,
  kExitRunCrashed = 7,
  kExitWaitTimedOut = 8,
  kExitUnreachable = 9,
  // A program that passes the start gate itself and lost it to another.
  kExitGateLost = 75,
  kExitInterrupted = 130,
};

// By the status code alone.
ExitCode ExitCodeOf(const absl::Status& status);

// "error: <what and why>" and, if there is one, a line with the next command, on standard error.
void PrintFailure(const absl::Status& status);

}  // namespace forebay
