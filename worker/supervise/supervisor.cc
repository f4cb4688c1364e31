#include "worker/supervise/supervisor.h"

#include <algorithm>
#include <utility>

#include "common/base/status.h"
#include "common/obs/log.h"
#include "worker/launch/attempt_name.h"
#include "worker/report/timestamp.h"

namespace forebay::worker {

namespace {

using Step = Attempt::Step;

bool CanBeSeen(Step step) { return step >= Step::kPreparing && step <= Step::kRunning; }

}  // namespace

Supervisor::Supervisor(Parts parts, std::function<void()> settled)
    : parts_(parts), settled_(std::move(settled)) {}

void Supervisor::Connect(Outbox& outbox, LogPump& log_pump) {
  outbox_ = &outbox;
  log_pump_ = &log_pump;
}

void Supervisor::Assign(const v1::Assignment& assignment) {
  {
    MutexLock lock(mutex_);
    // An assignment that comes again is the one that is being worked on.
    if (Find(assignment.attempt()) != nullptr) return;
  }
  spdlog::info("run {} ({}), attempt {}: taken", assignment.run_display_name(),
               assignment.attempt().run_id(), assignment.attempt().attempt());
  Begin(Attempt(assignment, parts_.renderer.cancel_grace()));
}

void Supervisor::Adopt(const v1::Adoption& adoption) {
  const v1::Assignment& assignment = adoption.assignment();
  spdlog::info("run {} ({}), attempt {}: adopted", assignment.run_display_name(),
               assignment.attempt().run_id(), assignment.attempt().attempt());
  Begin(Attempt(adoption, parts_.renderer.cancel_grace()));
}

void Supervisor::Discard(const std::string& name) {
  spdlog::info("{}: nobody's any more; ended and removed", name);
  Begin(Attempt(name));
}

void Supervisor::Begin(Attempt attempt) {
  MutexLock lock(mutex_);
  const std::string name = attempt.name();
  entries_.erase(name);
  Entry& entry =
      entries_.emplace(name, Entry{std::move(attempt), {name, ++last_generation_}, false})
          .first->second;
  for (const Action& action : entry.attempt.Begin()) Perform(entry, action);
}

Supervisor::Entry* Supervisor::Find(const Handle& handle) {
  const auto found = entries_.find(handle.name);
  const bool same = found != entries_.end() && found->second.handle.generation == handle.generation;
  return same ? &found->second : nullptr;
}

Supervisor::Entry* Supervisor::Find(const v1::AttemptRef& ref) {
  const auto found = entries_.find(NameOf(ref));
  const bool same = found != entries_.end() && found->second.attempt.ref().epoch() == ref.epoch();
  return same ? &found->second : nullptr;
}

bool Supervisor::FeedEntry(Entry* entry, const Event& event) {
  if (entry == nullptr) return false;
  const bool held = entry->attempt.held();
  const Actions actions = event(entry->attempt);
  const bool settled = (held && !entry->attempt.held()) || entry->attempt.step() == Step::kDone;
  for (const Action& action : actions) Perform(*entry, action);
  return settled;
}

void Supervisor::Feed(const Handle& handle, const Event& event) {
  bool settled = false;
  {
    MutexLock lock(mutex_);
    settled = FeedEntry(Find(handle), event);
  }
  if (settled) settled_();
}

void Supervisor::Feed(const v1::AttemptRef& ref, const Event& event) {
  bool settled = false;
  {
    MutexLock lock(mutex_);
    settled = FeedEntry(Find(ref), event);
  }
  if (settled) settled_();
}

void Supervisor::Perform(Entry& entry, const Action& action) {
  switch (action.kind) {
    case Action::Kind::kLaunch:
      return PostLaunch(entry);
    case Action::Kind::kGo:
      return PostGo(entry);
    case Action::Kind::kObserve:
      return PostLook(entry);
    case Action::Kind::kStop:
      return PostStop(entry, action.grace);
    case Action::Kind::kRemove:
      log_pump_->Forget(entry.handle.name);
      outbox_->Forget(entry.attempt.ref());
      return PostRemove(entry);
    case Action::Kind::kReport:
      // The gate or the failure follows these within milliseconds, unless the launch is slow.
      return outbox_->Add(action.report,
                          action.report.has_launching() || action.report.has_launched());
    case Action::Kind::kFollowLog:
      return log_pump_->Follow(entry.attempt.ref(), action.sequence, action.final);
    case Action::Kind::kFinish: {
      const std::string name = entry.handle.name;
      entries_.erase(name);
      return;
    }
  }
}

void Supervisor::PostLaunch(const Entry& entry) {
  parts_.desk.Post(entry.handle.name,
                   [this, handle = entry.handle, assignment = entry.attempt.assignment()] {
                     Launch(handle, assignment);
                   });
}

void Supervisor::Launch(const Handle& handle, const v1::Assignment& assignment) {
  if (!parts_.lease.holds()) {
    return Feed(handle, [](Attempt& attempt) {
      attempt.Fenced();
      return Actions();
    });
  }
  const auto result = LaunchAndLook(handle, assignment);
  if (!result.ok()) {
    spdlog::warn("run {}: not launched: {}", assignment.run_display_name(),
                 MessageOf(result.status()));
  }
  Feed(handle, [&](Attempt& attempt) { return attempt.Launched(result); });
}

absl::StatusOr<Observation> Supervisor::LaunchAndLook(const Handle& handle,
                                                      const v1::Assignment& assignment) {
  ASSIGN_OR_RETURN(const LaunchSpec spec, parts_.renderer.Render(assignment));
  {
    MutexLock lock(mutex_);
    // Given up before it began.
    if (Find(handle) == nullptr) return absl::CancelledError("given up");
  }
  RETURN_IF_ERROR(parts_.launcher.Launch(spec));
  return parts_.launcher.Observe(handle.name);
}

void Supervisor::PostGo(const Entry& entry) {
  parts_.desk.Post(entry.handle.name, [this, handle = entry.handle] { Go(handle); });
}

void Supervisor::Go(const Handle& handle) {
  {
    MutexLock lock(mutex_);
    if (Find(handle) == nullptr) return;
  }
  if (!parts_.lease.holds()) {
    return Feed(handle, [](Attempt& attempt) {
      attempt.Fenced();
      return Actions();
    });
  }
  const absl::Status result = parts_.launcher.Go(handle.name);
  Feed(handle, [&](Attempt& attempt) { return attempt.Went(result); });
}

void Supervisor::PostLook(Entry& entry) {
  if (std::exchange(entry.look_posted, true)) return;
  parts_.desk.Post(entry.handle.name, [this, handle = entry.handle] { Look(handle); });
}

void Supervisor::Look(const Handle& handle) {
  {
    MutexLock lock(mutex_);
    Entry* entry = Find(handle);
    if (entry == nullptr) return;
    // What changes from now on is worth another look.
    entry->look_posted = false;
  }
  const auto seen = parts_.launcher.Observe(handle.name);
  if (seen.ok() && !seen->exit.launch_failure.empty()) {
    spdlog::warn("{}: not launched: {}", handle.name, seen->exit.message);
  }
  Feed(handle, [&](Attempt& attempt) { return attempt.Seen(seen); });
}

void Supervisor::PostStop(const Entry& entry, absl::Duration grace) {
  parts_.desk.Post(entry.handle.name, [this, name = entry.handle.name, grace] {
    const absl::Status stopped = parts_.launcher.Stop(name, grace);
    if (!stopped.ok()) spdlog::warn("{}: not stopped: {}", name, MessageOf(stopped));
  });
}

void Supervisor::PostRemove(const Entry& entry) {
  parts_.desk.Post(entry.handle.name, [this, handle = entry.handle] { Remove(handle); });
}

void Supervisor::Remove(const Handle& handle) {
  const absl::Status removed = parts_.launcher.Remove(handle.name);
  // What is left is found, and removed, in one of the session's rounds.
  if (!removed.ok()) spdlog::warn("{}: not removed: {}", handle.name, MessageOf(removed));
  Feed(handle, [](Attempt& attempt) { return attempt.Removed(); });
}

void Supervisor::Stop(const v1::StopCommand& command) {
  std::optional<absl::Duration> grace;
  if (command.has_grace()) grace = ToDuration(command.grace());
  Feed(command.attempt(), [&](Attempt& attempt) { return attempt.Stop(command.reason(), grace); });
}

void Supervisor::StopAll() {
  MutexLock lock(mutex_);
  for (auto& [name, entry] : entries_) {
    for (const Action& action : entry.attempt.Stop(v1::STOP_REASON_UNSPECIFIED)) {
      Perform(entry, action);
    }
  }
}

void Supervisor::LeaseRenewed() {
  MutexLock lock(mutex_);
  for (auto& [name, entry] : entries_) {
    for (const Action& action : entry.attempt.LeaseRenewed()) Perform(entry, action);
  }
}

void Supervisor::Answered(const v1::AttemptReport& report, const v1::ReportResult& result) {
  Feed(report.attempt(), [&](Attempt& attempt) { return attempt.Answered(report, result); });
}

void Supervisor::LogArrived(const v1::AttemptRef& ref, int64_t next, bool exhausted) {
  Feed(ref, [&](Attempt& attempt) { return attempt.LogArrived(next, exhausted); });
}

void Supervisor::LogRefused(const v1::AttemptRef& ref, const v1::AppendResult& result) {
  const v1::StopReason reason = result.verdict() == v1::REPORT_VERDICT_STALE
                                    ? v1::STOP_REASON_SUPERSEDED
                                    : v1::STOP_REASON_CANCELLED;
  Feed(ref, [&](Attempt& attempt) { return attempt.Stop(reason, StopGraceOf(result)); });
}

void Supervisor::Changed(const std::string& name) {
  log_pump_->Changed(name);
  MutexLock lock(mutex_);
  const auto found = entries_.find(name);
  if (found != entries_.end() && CanBeSeen(found->second.attempt.step())) PostLook(found->second);
}

void Supervisor::LookAtAll() {
  MutexLock lock(mutex_);
  for (auto& [name, entry] : entries_) {
    if (CanBeSeen(entry.attempt.step())) PostLook(entry);
  }
}

void Supervisor::GiveUpAll() {
  MutexLock lock(mutex_);
  entries_.clear();
  outbox_->Clear();
  log_pump_->Clear();
}

std::vector<v1::AttemptRef> Supervisor::Held() {
  MutexLock lock(mutex_);
  std::vector<v1::AttemptRef> held;
  for (const auto& [name, entry] : entries_) {
    if (entry.attempt.held()) held.push_back(entry.attempt.ref());
  }
  return held;
}

int Supervisor::held_count() {
  MutexLock lock(mutex_);
  return static_cast<int>(std::count_if(entries_.begin(), entries_.end(), [](const auto& entry) {
    return entry.second.attempt.held();
  }));
}

bool Supervisor::idle() {
  MutexLock lock(mutex_);
  return entries_.empty();
}

bool Supervisor::Knows(const std::string& name) {
  MutexLock lock(mutex_);
  return entries_.contains(name);
}

}  // namespace forebay::worker
