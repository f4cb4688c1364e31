#pragma once

// What /proc tells about processes. Thread-safe.

#include <sys/types.h>

#include <optional>
#include <vector>

#include "worker/launch/process/format/status_file.h"

namespace forebay::holder {

struct ProcessEntry {
  ProcessId id;
  pid_t parent = 0;
  pid_t session = 0;
  bool zombie = false;
};

// Nothing when there is no such process.
std::optional<ProcessEntry> LookUpProcess(pid_t pid);
std::vector<ProcessEntry> ListProcesses();
// Those of `table` below `ancestor`, without itself and without zombies.
std::vector<pid_t> DescendantsOf(pid_t ancestor, const std::vector<ProcessEntry>& table);

}  // namespace forebay::holder
