#pragma once

// Signals as something to wait for, in place of handlers.

#include <initializer_list>
#include <optional>

#include "absl/time/time.h"
#include "common/os/unique_fd.h"

namespace forebay {

// Blocks the signals in the calling thread and in threads made by it later: construct it in main
// before anything makes a thread. They stay blocked when it is destroyed. Thread-safe.
class SignalWaiter {
 public:
  explicit SignalWaiter(std::initializer_list<int> signals);
  // The next signal, or nothing when `most` went by. absl::InfiniteDuration() waits for ever, zero
  // only looks.
  std::optional<int> Wait(absl::Duration most = absl::InfiniteDuration());
  // Readable when a signal waits; for a poll of one's own.
  int fd() const { return fd_.get(); }

 private:
  UniqueFd fd_;
};

// Writing to a closed connection is an error to handle, not a reason to end. Call it first thing in
// main.
void IgnoreBrokenPipes();

}  // namespace forebay
