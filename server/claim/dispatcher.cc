#include "server/claim/dispatcher.h"

#include <algorithm>

#include "common/base/status.h"
#include "common/obs/log.h"
#include "server/db/queries.h"

namespace forebay::server {
namespace {

constexpr absl::Duration kPauseAfterError = absl::Milliseconds(250);
// The timer looks at least this often, so that a poll parked meanwhile meets its deadline in time.
constexpr absl::Duration kTimerStep = absl::Seconds(1);

}  // namespace

Dispatcher::Dispatcher(Options options, const ClaimRound::Shared& shared)
    : options_(std::move(options)), parking_(shared.parking), clock_(shared.clock), round_(shared) {
  for (int i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { ClaimLoop(); });
  threads_.emplace_back([this] { TimerLoop(); });
}

Dispatcher::~Dispatcher() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  claim_wake_.NotifyAll();
  timer_wake_.NotifyAll();
  for (std::thread& thread : threads_) thread.join();
}

void Dispatcher::WorkReady(const Uuid& pool) {
  MutexLock lock(mutex_);
  PoolWork& work = pools_[pool];
  work.hinted = true;
  work.drained = false;
  Consider(pool);
}

bool Dispatcher::SlotsFreed(const Uuid& pool) {
  MutexLock lock(mutex_);
  PoolWork& work = pools_[pool];
  if (work.drained) return false;
  work.hinted = true;
  Consider(pool);
  return true;
}

void Dispatcher::DemandArrived(const Uuid& pool) {
  MutexLock lock(mutex_);
  Consider(pool);
}

void Dispatcher::Consider(const Uuid& pool) {
  PoolWork& work = pools_[pool];
  if (!work.hinted || work.claiming || parking_.TotalSlots(pool) == 0) return;
  if (work.retry_at > clock_.Monotonic()) return;
  work.claiming = true;
  work.hinted = false;
  to_claim_.push_back(pool);
  claim_wake_.NotifyOne();
}

void Dispatcher::ClaimLoop() {
  Session session(options_.database_url);
  for (;;) {
    Uuid pool;
    {
      MutexLock lock(mutex_);
      while (to_claim_.empty() && !stopping_) claim_wake_.Wait(mutex_);
      if (stopping_) return;
      pool = to_claim_.front();
      to_claim_.pop_front();
    }
    const auto result = round_.Run(session, pool);
    session.Rollback();
    Settle(pool, result);
  }
}

void Dispatcher::Settle(const Uuid& pool, const absl::StatusOr<RoundResult>& result) {
  if (!result.ok()) spdlog::warn("claiming failed: {}", MessageOf(result.status()));
  MutexLock lock(mutex_);
  PoolWork& work = pools_[pool];
  work.claiming = false;
  if (!result.ok()) {
    work.hinted = true;
    work.retry_at = clock_.Monotonic() + kPauseAfterError;
  } else {
    work.hinted |= result->more;
    work.drained = result->drained && !work.hinted;
    work.next_due.reset();
    if (result->next_due_in.has_value()) work.next_due = clock_.Monotonic() + *result->next_due_in;
  }
  timer_wake_.NotifyOne();
  Consider(pool);
}

void Dispatcher::RaiseDue(absl::Duration now) {
  MutexLock lock(mutex_);
  for (auto& [pool, work] : pools_) {
    if (work.next_due.has_value() && *work.next_due <= now) {
      work.next_due.reset();
      work.hinted = true;
    }
    if (work.hinted && work.retry_at <= now) Consider(pool);
  }
}

void Dispatcher::Probe(Session& session) {
  const std::vector<Uuid> pools = parking_.PoolsWithDemand();
  if (pools.empty()) return;
  const auto rows = session.Run(queries::kProbePools, Args().Array(IdArray(pools)));
  if (!rows.ok()) return;
  for (size_t row = 0; row < rows->size(); ++row) WorkReady(rows->Id(row, 0));
}

void Dispatcher::TimerLoop() {
  Session session(options_.database_url);
  absl::Duration next_probe = clock_.Monotonic() + options_.probe_interval;
  for (;;) {
    const absl::Duration now = clock_.Monotonic();
    absl::Duration wake = std::min(now + kTimerStep, next_probe);
    if (const auto deadline = parking_.Expire(now)) wake = std::min(wake, *deadline);
    RaiseDue(now);
    if (now >= next_probe) {
      Probe(session);
      next_probe = clock_.Monotonic() + options_.probe_interval;
      continue;
    }
    MutexLock lock(mutex_);
    if (stopping_) return;
    for (const auto& [pool, work] : pools_) {
      if (work.next_due.has_value()) wake = std::min(wake, *work.next_due);
      if (work.hinted && work.retry_at > now) wake = std::min(wake, work.retry_at);
    }
    if (wake > now) timer_wake_.WaitFor(mutex_, wake - now);
  }
}

}  // namespace forebay::server
