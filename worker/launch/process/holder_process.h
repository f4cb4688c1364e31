#pragma once

// Stage 3: a holder, started or found. Thread-safe.

#include <sys/types.h>

#include <string>

#include "absl/status/statusor.h"
#include "common/os/unique_fd.h"
#include "worker/launch/process/run_directory.h"

namespace forebay::worker {

// The program, beside this process's own or in PATH. FAILED_PRECONDITION (HOLDER_NOT_FOUND).
absl::StatusOr<std::string> FindHolderProgram();

struct StartedHolder {
  // A child of this process, to be reaped.
  pid_t pid = -1;
  // Connected.
  UniqueFd socket;
};
// Starts a holder that outlives this process. `lock`: the directory's, which goes to it. It is
// connected at once, even before its first instruction, because the listening socket is made here.
absl::StatusOr<StartedHolder> StartHolder(const std::string& program, const RunDirectory& directory,
                                          const std::string& display_name, UniqueFd lock);

// A connection to the holder that lives in the directory; an error when none listens.
absl::StatusOr<UniqueFd> ConnectToHolder(const RunDirectory& directory);

}  // namespace forebay::worker
