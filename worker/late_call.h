#pragma once

// A callback whose target is made later than its caller, and goes earlier.

#include <functional>
#include <utility>

#include "common/base/sync.h"

namespace forebay::worker {

// Calls before Connect and after Disconnect do nothing. Thread-safe; calls come one at a time, and
// none is under way when Disconnect returns.
template <typename... Args>
class LateCall {
 public:
  void Connect(std::function<void(Args...)> target) {
    MutexLock lock(mutex_);
    target_ = std::move(target);
  }
  void Disconnect() { Connect(nullptr); }
  void operator()(Args... args) {
    MutexLock lock(mutex_);
    if (target_) target_(args...);
  }

 private:
  Mutex mutex_;
  std::function<void(Args...)> target_ GUARDED_BY(mutex_);
};

}  // namespace forebay::worker
