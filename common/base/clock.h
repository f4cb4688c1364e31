#pragma once

// Time, injected. Code that is not a Clock never asks the operating system for the time.

#include "absl/time/time.h"

namespace forebay {

// Implementations are thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  // Wall time; may jump.
  virtual absl::Time Now() const = 0;
  // Time since some fixed point that never goes back and counts suspended time too, so that a lease
  // cannot look fresh after the host slept. Deadlines of a worker are measured on it.
  virtual absl::Duration Monotonic() const = 0;
};

// The operating system's clock. Never destroyed.
const Clock& SystemClock();

}  // namespace forebay
