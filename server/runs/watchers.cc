#include "server/runs/watchers.h"

#include <algorithm>
#include <utility>

namespace forebay::server {
namespace {

// What a change made through another server waits at most before it is seen here.
constexpr absl::Duration kTick = absl::Milliseconds(500);
// Between two looks of those who wait for any run.
constexpr absl::Duration kBreath = absl::Milliseconds(20);

}  // namespace

Watchers::Watchers(Executor& executor, const Clock& clock)
    : executor_(executor), clock_(clock), thread_([this] { Loop(); }) {}

Watchers::~Watchers() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.NotifyAll();
  thread_.join();
}

void Watchers::Watch(const Uuid& run, absl::Duration wait, Look look,
                     std::function<bool()> stopped) {
  auto watch = std::make_shared<Waiting>();
  watch->run = run;
  watch->deadline = clock_.Monotonic() + wait;
  watch->look = std::move(look);
  watch->stopped = std::move(stopped);
  {
    MutexLock lock(mutex_);
    by_run_.emplace(run, watch);
  }
  wake_.NotifyOne();
  TakeLook(watch);
}

void Watchers::WatchAll(absl::Duration wait, Look look, std::function<bool()> stopped) {
  Watch(Uuid(), wait, std::move(look), std::move(stopped));
}

void Watchers::End() {
  ending_ = true;
  std::vector<Handle> all;
  {
    MutexLock lock(mutex_);
    for (const auto& [run, watch] : by_run_) all.push_back(watch);
  }
  for (const Handle& watch : all) TakeLook(watch);
}

size_t Watchers::size() const {
  MutexLock lock(mutex_);
  return by_run_.size();
}

void Watchers::TakeLook(const Handle& watch) {
  {
    MutexLock lock(mutex_);
    if (watch->looking) {
      watch->again = true;
      return;
    }
    watch->looking = true;
  }
  const absl::Status queued =
      executor_.Submit([this, watch](Session& session) { LookNow(session, watch); });
  if (queued.ok()) return;
  // The next tick tries again.
  MutexLock lock(mutex_);
  watch->looking = false;
}

void Watchers::LookNow(Session& session, const Handle& watch) {
  const bool last = ending_ || clock_.Monotonic() >= watch->deadline;
  if (watch->stopped()) return Remove(watch);
  const Seen seen = watch->look(session, last);
  if (seen == Seen::kAnswered || last) return Remove(watch);
  if (seen == Seen::kMoreSoon) AnyRunChanged();
  bool again = false;
  {
    MutexLock lock(mutex_);
    watch->looking = false;
    again = std::exchange(watch->again, false);
  }
  if (again) TakeLook(watch);
}

void Watchers::Remove(const Handle& watch) {
  MutexLock lock(mutex_);
  const auto [from, to] = by_run_.equal_range(watch->run);
  const auto it = std::find_if(from, to, [&](const auto& entry) { return entry.second == watch; });
  if (it != to) by_run_.erase(it);
}

void Watchers::RunsChanged(const std::vector<Uuid>& runs) {
  std::vector<Handle> concerned;
  {
    MutexLock lock(mutex_);
    if (by_run_.empty()) return;
    news_ = true;
    for (const Uuid& run : runs) {
      const auto [from, to] = by_run_.equal_range(run);
      for (auto it = from; it != to; ++it) concerned.push_back(it->second);
    }
  }
  wake_.NotifyOne();
  for (const Handle& watch : concerned) TakeLook(watch);
}

void Watchers::AnyRunChanged() {
  {
    MutexLock lock(mutex_);
    if (by_run_.empty()) return;
    news_ = true;
  }
  wake_.NotifyOne();
}

std::vector<Watchers::Handle> Watchers::NextToLook(absl::Duration& tick) {
  MutexLock lock(mutex_);
  while (by_run_.empty() && !stopping_) wake_.Wait(mutex_);
  const absl::Duration left = tick - clock_.Monotonic();
  if (!stopping_ && !news_ && left > absl::ZeroDuration()) wake_.WaitFor(mutex_, left);
  const bool everybody = clock_.Monotonic() >= tick;
  if (everybody) tick = clock_.Monotonic() + kTick;
  auto [from, to] =
      everybody ? std::pair(by_run_.begin(), by_run_.end()) : by_run_.equal_range(Uuid());
  std::vector<Handle> next;
  if (!std::exchange(news_, false) && !everybody) return next;
  for (; from != to; ++from) next.push_back(from->second);
  return next;
}

void Watchers::Loop() {
  absl::Duration tick = clock_.Monotonic() + kTick;
  for (;;) {
    const std::vector<Handle> next = NextToLook(tick);
    for (const Handle& watch : next) TakeLook(watch);
    MutexLock lock(mutex_);
    if (!stopping_ && !next.empty()) wake_.WaitFor(mutex_, kBreath);
    if (stopping_) return;
  }
}

}  // namespace forebay::server
