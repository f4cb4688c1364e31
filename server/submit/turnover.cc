#include "server/submit/turnover.h"

#include <algorithm>

namespace forebay::server {
namespace {

// A pace of so many windows ago is of no account.
constexpr int64_t kForgotten = 40;

}  // namespace

void Turnover::Queued(const Uuid& queue, int64_t runs) {
  MutexLock lock(mutex_);
  queues_[queue].waiting += runs;
}

void Turnover::Claimed(const Uuid& queue, int64_t runs) {
  MutexLock lock(mutex_);
  Queue& known = queues_[queue];
  known.waiting = std::max<int64_t>(0, known.waiting - runs);
}

void Turnover::Drained(const Uuid& queue) {
  MutexLock lock(mutex_);
  queues_[queue].waiting = 0;
}

void Turnover::Ended(const std::vector<Uuid>& queues) {
  const absl::Duration now = clock_.Monotonic();
  MutexLock lock(mutex_);
  for (const Uuid& id : queues) {
    Queue& queue = queues_[id];
    Advance(queue, now);
    ++queue.ended;
    ++queue.ended_in_window;
  }
}

void Turnover::Advance(Queue& queue, absl::Duration now) {
  if (now < queue.began + kWindow) return;
  const absl::Duration passed = std::min(now - queue.began, kForgotten * kWindow);
  queue.pace = std::max(queue.pace, queue.ended_in_window);
  for (int64_t i = 0; i < passed / kWindow; ++i) queue.pace = queue.pace * 4 / 5;
  queue.ended_in_window = 0;
  queue.began = now;
}

Turnover::Outlook Turnover::Of(const Uuid& id) const {
  const absl::Duration now = clock_.Monotonic();
  MutexLock lock(mutex_);
  const auto it = queues_.find(id);
  if (it == queues_.end()) return {};
  Queue queue = it->second;
  Advance(queue, now);
  return {queue.waiting, std::max(queue.pace, queue.ended_in_window), queue.ended};
}

}  // namespace forebay::server
