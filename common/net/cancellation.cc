#include "common/net/cancellation.h"

namespace forebay {

void Cancellation::Cancel() {
  MutexLock lock(mutex_);
  cancelled_ = true;
  for (const auto& [key, wake] : attached_) wake(key);
}

bool Cancellation::cancelled() const {
  MutexLock lock(mutex_);
  return cancelled_;
}

void Cancellation::Attach(void* key, void (*wake)(void* key)) {
  MutexLock lock(mutex_);
  attached_[key] = wake;
  if (cancelled_) wake(key);
}

void Cancellation::Detach(void* key) {
  MutexLock lock(mutex_);
  attached_.erase(key);
}

}  // namespace forebay
