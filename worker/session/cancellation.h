#pragma once

// Ends one call that is under way, from another thread.

#include <functional>
#include <utility>

#include "common/base/sync.h"

namespace forebay::worker {

// For one call. Thread-safe.
class Cancellation {
 public:
  // Ends the call; one that has not begun ends as it begins.
  void Raise() {
    MutexLock lock(mutex_);
    raised_ = true;
    if (cancel_) cancel_();
  }
  bool raised() {
    MutexLock lock(mutex_);
    return raised_;
  }

  // By whoever makes the call: `cancel` is called by Raise until Disarm. It must not block.
  void Arm(std::function<void()> cancel) {
    MutexLock lock(mutex_);
    cancel_ = std::move(cancel);
    if (raised_) cancel_();
  }
  void Disarm() {
    MutexLock lock(mutex_);
    cancel_ = nullptr;
  }

 private:
  Mutex mutex_;
  bool raised_ GUARDED_BY(mutex_) = false;
  std::function<void()> cancel_ GUARDED_BY(mutex_);
};

}  // namespace forebay::worker
