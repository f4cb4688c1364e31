#include "worker/session/registration.h"

#include <algorithm>

namespace forebay::worker {

std::string Registration::WaitForId() {
  MutexLock lock(mutex_);
  while (id_.empty() && !ended_) changed_.Wait(mutex_);
  return ended_ ? "" : id_;
}

bool Registration::IsCurrent(const std::string& id) {
  MutexLock lock(mutex_);
  return !ended_ && id_ == id;
}

void Registration::Open(const std::string& id) {
  MutexLock lock(mutex_);
  id_ = id;
  changed_.NotifyAll();
}

void Registration::Lose(const std::string& id) {
  MutexLock lock(mutex_);
  if (id_ != id) return;
  id_.clear();
  poked_ = true;
  changed_.NotifyAll();
}

void Registration::End(const absl::Status& status) {
  MutexLock lock(mutex_);
  if (ended_) return;
  ended_ = true;
  status_ = status;
  poked_ = true;
  changed_.NotifyAll();
}

void Registration::Ask(Ending ending) {
  MutexLock lock(mutex_);
  ending_ = std::max(ending_, ending);
  poked_ = true;
  changed_.NotifyAll();
}

Ending Registration::ending() {
  MutexLock lock(mutex_);
  return ending_;
}

void Registration::Sleep(absl::Duration most) {
  MutexLock lock(mutex_);
  if (!poked_ && !ended_ && most > absl::ZeroDuration()) changed_.WaitFor(mutex_, most);
  poked_ = false;
}

void Registration::Poke() {
  MutexLock lock(mutex_);
  poked_ = true;
  changed_.NotifyAll();
}

void Registration::Pause(absl::Duration most) {
  MutexLock lock(mutex_);
  const absl::Duration end = clock_.Monotonic() + most;
  while (!ended_) {
    const absl::Duration left = end - clock_.Monotonic();
    if (left <= absl::ZeroDuration() || !changed_.WaitFor(mutex_, left)) return;
  }
}

bool Registration::ended() {
  MutexLock lock(mutex_);
  return ended_;
}

absl::Status Registration::status() {
  MutexLock lock(mutex_);
  return status_;
}

}  // namespace forebay::worker
