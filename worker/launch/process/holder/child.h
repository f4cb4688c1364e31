#pragma once

// The run's own process.

#include <sys/types.h>

#include <optional>
#include <string>

#include "common/os/unique_fd.h"
#include "worker/launch/process/format/holder_spec.h"
#include "worker/launch/process/holder/memory_cgroup.h"

namespace forebay::holder {

struct Child {
  pid_t pid = -1;
  // Reading ends; the process has the writing ones as standard output and error.
  UniqueFd output;
  UniqueFd errors;
  // Ends when the command has begun; holds an ExecFailure when it could not.
  UniqueFd exec_result;
};

// Why a command did not begin.
struct ExecFailure {
  enum class Step : int { kSystem, kLimits, kMemory, kUser, kDirectory, kExec };
  Step step = Step::kSystem;
  int error = 0;
};

// Begins the spec's command in a session of its own, to be killed when this process dies. `memory`:
// the group to join, or null. Nothing, with `failure` set, when the system has no more processes or
// descriptors.
std::optional<Child> StartChild(const HolderSpec& spec, const MemoryCgroup* memory,
                                ExecFailure& failure);

// What a failure is called in ExitRecord::launch_failure of launcher.h (empty when the host is at
// fault), and in words.
std::string FailureClass(const ExecFailure& failure);
std::string FailureText(const ExecFailure& failure, const HolderSpec& spec);

}  // namespace forebay::holder
