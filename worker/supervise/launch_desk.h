#pragma once

// Carries out what launchers are asked to do, on threads of its own: a launch, or the removal of a
// big directory, takes its time and must not hold up anything else.

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "common/base/sync.h"

namespace forebay::worker {

// Jobs for one name run one at a time, in the order of their posting; those for different names
// side by side. Thread-safe; Post may be called from within a job and with the caller's locks held.
class LaunchDesk {
 public:
  explicit LaunchDesk(int threads);
  ~LaunchDesk() { End(); }
  LaunchDesk(const LaunchDesk&) = delete;
  LaunchDesk& operator=(const LaunchDesk&) = delete;

  void Post(const std::string& name, std::function<void()> job);
  // Finishes the jobs that run; those that wait, and those that come, are dropped. Idempotent; by
  // the owner only.
  void End();

 private:
  void Work();

  Mutex mutex_;
  CondVar changed_;
  bool ending_ GUARDED_BY(mutex_) = false;
  // Waiting jobs by name; a name stays while one of its jobs runs.
  std::map<std::string, std::deque<std::function<void()>>> jobs_ GUARDED_BY(mutex_);
  // Names with a job to run and none running.
  std::deque<std::string> ready_ GUARDED_BY(mutex_);
  std::vector<std::thread> threads_;
};

}  // namespace forebay::worker
