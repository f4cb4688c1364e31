#include "server/api/call.h"

#include "server/metrics/call_meter.h"

namespace forebay::server {

void CallState::MeterBy(CallMeter& meter, const Clock& clock) {
  meter_ = &meter;
  clock_ = &clock;
  begun_ = clock.Monotonic();
}

void CallState::FinishOnce(const absl::Status& status) {
  if (finished_.exchange(true)) return;
  absl::AnyInvocable<void()> forgotten;
  {
    MutexLock lock(mutex_);
    forgotten = std::move(hook_);
  }
  if (meter_ != nullptr) meter_->Count(status.code(), clock_->Monotonic() - begun_);
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
