#include "server/runs/fresh_attempts.h"

#include <limits>

namespace forebay::server {
namespace {

HeldAttempt AsHeld(const FreshAttempt& attempt) {
  HeldAttempt held;
  held.run = attempt.run;
  held.attempt = 1;
  held.epoch = 1;
  held.pool = attempt.pool;
  held.queue = attempt.queue;
  held.deployment = attempt.deployment;
  held.worker = attempt.worker;
  held.state.phase = attempt.phase;
  held.ticket_hash = attempt.ticket_hash;
  // Whether the log has as many lines as an end says is for the statement to check.
  held.worker_log_sequence = std::numeric_limits<int64_t>::max();
  held.remembered = true;
  return held;
}

}  // namespace

void FreshAttempts::Granted(std::vector<FreshAttempt> attempts) {
  MutexLock lock(mutex_);
  for (FreshAttempt& attempt : attempts) {
    order_.push_back(attempt.run);
    attempts_.insert_or_assign(attempt.run, std::move(attempt));
  }
  Trim();
}

void FreshAttempts::Trim() {
  while (!order_.empty() && (order_.size() > most_ || !attempts_.contains(order_.front()))) {
    attempts_.erase(order_.front());
    order_.pop_front();
  }
}

std::vector<HeldAttempt> FreshAttempts::Of(const std::vector<Uuid>& runs) const {
  std::vector<HeldAttempt> held;
  MutexLock lock(mutex_);
  for (const Uuid& run : runs) {
    if (const auto it = attempts_.find(run); it != attempts_.end())
      held.push_back(AsHeld(it->second));
  }
  return held;
}

void FreshAttempts::Changed(const std::vector<AttemptChange>& changes) {
  MutexLock lock(mutex_);
  for (const AttemptChange& change : changes) {
    const auto it = attempts_.find(change.before.run);
    if (it == attempts_.end()) continue;
    it->second.phase = change.phase;
    if (change.end.has_value()) attempts_.erase(it);
  }
  Trim();
}

void FreshAttempts::Forget(const std::vector<Uuid>& runs) {
  MutexLock lock(mutex_);
  for (const Uuid& run : runs) attempts_.erase(run);
}

}  // namespace forebay::server
