#pragma once

// Exit codes of `forebay`, the same for every command (docs/reference).

#include "absl/status/status.h"
#include "common/base/exit_code.h"

namespace forebay::cli {

// Reasons of errors that only the command line makes.
inline constexpr char kServerUnreachable[] = "SERVER_UNREACHABLE";
inline constexpr char kWaitTimedOut[] = "WAIT_TIMED_OUT";
inline constexpr char kRunFailed[] = "RUN_FAILED";
inline constexpr char kRunCrashed[] = "RUN_CRASHED";
// Another program ended; its exit code, passed on, is the metadata `exit_code`.
inline constexpr char kChildEnded[] = "CHILD_ENDED";

// The code for what a command returned.
int ExitCodeOf(const absl::Status& status);

}  // namespace forebay::cli
