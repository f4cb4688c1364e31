#pragma once

// std::mutex with Clang's thread-safety annotations. absl::Mutex is not used: its packaged build
// reports false races under ThreadSanitizer.

#include <chrono>
#include <condition_variable>
#include <mutex>

#include "absl/time/time.h"

#if defined(__clang__)
#define FOREBAY_TSA(x) __attribute__((x))
#else
#define FOREBAY_TSA(x)
#endif

// Some of Abseil's headers bring the same names with the same meaning.
#undef GUARDED_BY
#undef REQUIRES
#undef EXCLUDES
#define GUARDED_BY(m) FOREBAY_TSA(guarded_by(m))
#define REQUIRES(m) FOREBAY_TSA(requires_capability(m))
#define EXCLUDES(m) FOREBAY_TSA(locks_excluded(m))

namespace forebay {

class FOREBAY_TSA(capability("mutex")) Mutex {
 public:
  void Lock() FOREBAY_TSA(acquire_capability()) { mutex_.lock(); }
  void Unlock() FOREBAY_TSA(release_capability()) { mutex_.unlock(); }

 private:
  friend class CondVar;
  std::mutex mutex_;
};

class FOREBAY_TSA(scoped_lockable) MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) FOREBAY_TSA(acquire_capability(mutex)) : mutex_(mutex) {
    mutex_.Lock();
  }
  ~MutexLock() FOREBAY_TSA(release_capability()) { mutex_.Unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

// Waits with the caller's Mutex held; wakes spuriously, so wait in a loop over the condition.
class CondVar {
 public:
  void Wait(Mutex& mutex) REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    condition_.wait(lock);
    lock.release();
  }
  // False when the time was up.
  bool WaitFor(Mutex& mutex, absl::Duration most) REQUIRES(mutex) {
    std::unique_lock<std::mutex> lock(mutex.mutex_, std::adopt_lock);
    const auto result = condition_.wait_for(lock, absl::ToChronoNanoseconds(most));
    lock.release();
    return result == std::cv_status::no_timeout;
  }
  void NotifyOne() { condition_.notify_one(); }
  void NotifyAll() { condition_.notify_all(); }

 private:
  std::condition_variable condition_;
};

}  // namespace forebay
