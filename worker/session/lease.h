#pragma once

// Whether this worker may still begin something: the worker's own view of its lease.

#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/sync.h"

namespace forebay::worker {

// Counts from the moment a renewing call was sent, on a clock that never goes back: the server's
// lease began later than that, so this one ends first. A margin of a fifth of its length covers
// what is between a look at it and the effect. Thread-safe.
class Lease {
 public:
  explicit Lease(const Clock& clock) : clock_(clock) {}

  // A call sent at `sent` (Clock::Monotonic) was answered; the lease is `ttl` long from then.
  void Renew(absl::Duration sent, absl::Duration ttl) {
    MutexLock lock(mutex_);
    end_ = std::max(end_, sent + ttl - ttl / 5);
  }
  // The server said that there is no lease.
  void Lose() {
    MutexLock lock(mutex_);
    end_ = -absl::InfiniteDuration();
  }
  // Nothing may be launched or let begin while false.
  bool holds() const {
    MutexLock lock(mutex_);
    return clock_.Monotonic() < end_;
  }

 private:
  const Clock& clock_;
  mutable Mutex mutex_;
  absl::Duration end_ GUARDED_BY(mutex_) = -absl::InfiniteDuration();
};

}  // namespace forebay::worker
