#pragma once

// The low-water marks of this server's queues, for the threads that claim and those that submit.
// Thread-safe.

#include <optional>
#include <vector>

#include "common/base/clock.h"
#include "common/base/sync.h"
#include "server/queue/low_water_mark.h"

namespace forebay::server {

class SharedMarks {
 public:
  explicit SharedMarks(const Clock& clock) : clock_(clock) {}

  // As of LowWaterMarks.
  std::optional<absl::Time> From(const Uuid& queue) const {
    MutexLock lock(mutex_);
    return marks_.From(queue, clock_.Monotonic());
  }
  // How long until the walk's queues are to be read from their beginning, if they were not.
  std::optional<absl::Duration> Committed(const ClaimWalk& walk) {
    const absl::Duration now = clock_.Monotonic();
    MutexLock lock(mutex_);
    marks_.Committed(walk, now);
    return marks_.NextWholeWalkIn(walk, now);
  }
  std::vector<LowWaterMarks::Place> InUse() const {
    MutexLock lock(mutex_);
    return marks_.InUse();
  }

 private:
  const Clock& clock_;
  mutable Mutex mutex_;
  LowWaterMarks marks_ GUARDED_BY(mutex_);
};

}  // namespace forebay::server
