#pragma once

// Ends by force what did not end by itself within its grace.

#include <functional>
#include <map>
#include <string>
#include <thread>

#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/sync.h"

namespace forebay::worker {

// One thread for all. Thread-safe.
class GraceTimer {
 public:
  // `expired` is called from the thread, without locks; it may block, which delays the others.
  GraceTimer(const Clock& clock, std::function<void(const std::string& name)> expired);
  ~GraceTimer();
  GraceTimer(const GraceTimer&) = delete;
  GraceTimer& operator=(const GraceTimer&) = delete;

  // A repeat can only shorten.
  void Arm(const std::string& name, absl::Duration grace);
  void Disarm(const std::string& name);

 private:
  void Run();

  const Clock& clock_;
  const std::function<void(const std::string&)> expired_;
  Mutex mutex_;
  CondVar changed_;
  bool ending_ GUARDED_BY(mutex_) = false;
  std::map<std::string, absl::Duration> deadlines_ GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace forebay::worker
