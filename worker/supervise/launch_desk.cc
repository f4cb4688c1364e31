#include "worker/supervise/launch_desk.h"

#include <utility>

namespace forebay::worker {

LaunchDesk::LaunchDesk(int threads) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
}

void LaunchDesk::End() {
  {
    MutexLock lock(mutex_);
    ending_ = true;
    changed_.NotifyAll();
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void LaunchDesk::Post(const std::string& name, std::function<void()> job) {
  MutexLock lock(mutex_);
  const auto [entry, idle] = jobs_.try_emplace(name);
  entry->second.push_back(std::move(job));
  if (!idle) return;
  ready_.push_back(name);
  changed_.NotifyOne();
}

void LaunchDesk::Work() {
  MutexLock lock(mutex_);
  while (true) {
    while (ready_.empty() && !ending_) changed_.Wait(mutex_);
    if (ending_) return;
    const std::string name = std::move(ready_.front());
    ready_.pop_front();
    std::deque<std::function<void()>>& jobs = jobs_[name];
    {
      const std::function<void()> job = std::move(jobs.front());
      jobs.pop_front();
      mutex_.Unlock();
      job();
      mutex_.Lock();
    }
    if (jobs.empty()) {
      jobs_.erase(name);
    } else {
      ready_.push_back(name);
      changed_.NotifyOne();
    }
  }
}

}  // namespace forebay::worker
