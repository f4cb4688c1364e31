#pragma once

// A clock that stands still until told otherwise.

#include "common/base/clock.h"
#include "common/base/sync.h"

namespace forebay {

class FakeClock final : public Clock {
 public:
  explicit FakeClock(absl::Time start = absl::FromUnixSeconds(1'800'000'000)) : now_(start) {}

  absl::Time Now() const override {
    MutexLock lock(mutex_);
    return now_;
  }
  absl::Duration Monotonic() const override {
    MutexLock lock(mutex_);
    return monotonic_;
  }
  void Advance(absl::Duration by) {
    MutexLock lock(mutex_);
    now_ += by;
    monotonic_ += by;
  }

 private:
  mutable Mutex mutex_;
  absl::Time now_ GUARDED_BY(mutex_);
  absl::Duration monotonic_ GUARDED_BY(mutex_) = absl::ZeroDuration();
};

}  // namespace forebay
