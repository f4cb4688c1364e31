#include "server/api/call.h"

namespace forebay::server {

void CallState::FinishOnce(const absl::Status& status) {
  if (finished_.exchange(true)) return;
  absl::AnyInvocable<void()> forgotten;
  {
    MutexLock lock(mutex_);
    forgotten = std::move(hook_);
  }
  Finish(status);
}

void CallState::OnCancelled(absl::AnyInvocable<void()> hook) {
  {
    MutexLock lock(mutex_);
    if (finished_) return;
    if (!cancelled_) {
      hook_ = std::move(hook);
      return;
    }
  }
  hook();
}

bool CallState::cancelled() const {
  MutexLock lock(mutex_);
  return cancelled_;
}

void CallState::Cancelled() {
  absl::AnyInvocable<void()> hook;
  {
    MutexLock lock(mutex_);
    cancelled_ = true;
    hook = std::move(hook_);
  }
  if (hook) hook();
}

}  // namespace forebay::server
