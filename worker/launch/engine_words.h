#pragma once

// What the words and exit codes of container engines mean. Pure.

#include <cstdint>
#include <string>
#include <string_view>

#include "worker/launch/launcher.h"

namespace forebay::worker {

// The exit code of what was killed.
inline constexpr int kKilledExitCode = 137;

// The end of a command that an engine tells by its exit code: 128 and a signal's number when a
// signal ended it.
ExitRecord EndByCode(int code);
ExitRecord OutOfMemory();

// The reason as of forebay.v1.LaunchFailed for what an engine says when a container cannot be made
// or begun.
std::string LaunchFailureOf(std::string_view engine_says);

// Why a pull failed, from the engine's words: the reason as of forebay.v1.LaunchFailed, and whether
// it may go well later.
struct PullFailure {
  std::string reason;
  bool retryable = false;
};
PullFailure PullFailureOf(std::string_view engine_says);

// Microseconds since the epoch of "2026-01-02T03:04:05.123456789Z", the form in which engines write
// times; 0 for anything else and for the time before all times.
int64_t EngineTimeMicros(std::string_view text);

}  // namespace forebay::worker
