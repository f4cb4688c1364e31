#include "worker/launch/docker/grace_timer.h"

#include <algorithm>

namespace forebay::worker {
namespace {

constexpr absl::Duration kIdle = absl::Hours(1);

}  // namespace

GraceTimer::GraceTimer(const Clock& clock, std::function<void(const std::string&)> expired)
    : clock_(clock), expired_(std::move(expired)), thread_([this] { Run(); }) {}

GraceTimer::~GraceTimer() {
  {
    MutexLock lock(mutex_);
    ending_ = true;
    changed_.NotifyAll();
  }
  thread_.join();
}

void GraceTimer::Arm(const std::string& name, absl::Duration grace) {
  const absl::Duration deadline = clock_.Monotonic() + grace;
  MutexLock lock(mutex_);
  const auto [entry, added] = deadlines_.emplace(name, deadline);
  if (!added) entry->second = std::min(entry->second, deadline);
  changed_.NotifyAll();
}

void GraceTimer::Disarm(const std::string& name) {
  MutexLock lock(mutex_);
  deadlines_.erase(name);
}

void GraceTimer::Run() {
  while (true) {
    std::string due;
    {
      MutexLock lock(mutex_);
      if (ending_) return;
      const absl::Duration now = clock_.Monotonic();
      const auto first =
          std::min_element(deadlines_.begin(), deadlines_.end(),
                           [](const auto& a, const auto& b) { return a.second < b.second; });
      if (first == deadlines_.end() || first->second > now) {
        changed_.WaitFor(mutex_, first == deadlines_.end() ? kIdle : first->second - now);
        continue;
      }
      due = first->first;
      deadlines_.erase(first);
    }
    expired_(due);
  }
}

}  // namespace forebay::worker
