#pragma once

// When a run is tried again because its user asked for it. Pure.

#include <string_view>
#include <vector>

#include "absl/time/time.h"

namespace forebay::server {

// Ways to end that may be worth another attempt.
enum class RetryCause : unsigned { kFailed = 1, kCrashed = 2, kTimedOut = 4, kLaunchFailed = 8 };

// "FAILED", …; 0 for other words.
unsigned RetryCauseBit(std::string_view name);

struct RetryPolicy {
  // Attempts after the first.
  int retries = 0;
  // Before retry n the n-th; the last one repeats. Empty: no pause.
  std::vector<absl::Duration> delays;
  // Each pause grows by a random share of itself, up to this one.
  double jitter = 0;
  // RetryCause bits.
  unsigned on = 0;

  // `used`: retries granted so far.
  bool Allows(RetryCause cause, int used) const;
  // Before retry `number`, from 1. `chance` in [0, 1).
  absl::Duration DelayBefore(int number, double chance) const;
};

}  // namespace forebay::server
