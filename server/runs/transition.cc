#include "server/runs/transition.h"

#include <fmt/format.h>

#include <algorithm>

namespace forebay::server {
namespace {

Decision Refuse(const HeldState& state) {
  Decision decision;
  decision.refused = true;
  decision.phase = state.phase;
  return decision;
}

Decision Noop(const HeldState& state) {
  Decision decision;
  decision.noop = true;
  decision.phase = state.phase;
  return decision;
}

Decision Advance(const HeldState& state, Phase to) {
  if (state.phase >= to) return Noop(state);
  Decision decision;
  decision.phase = to;
  return decision;
}

Decision End(Outcome outcome, std::string reason, std::string message) {
  Decision decision;
  decision.next = Next::kEnd;
  decision.outcome = outcome;
  decision.reason = std::move(reason);
  decision.message = std::move(message);
  return decision;
}

Decision EndCancelled() {
  return End(Outcome::kCancelled, "CANCEL_REQUESTED", "cancelled on request");
}

Decision Requeue(const HeldState& state, Outcome outcome, const Event& event) {
  Decision decision;
  decision.next = Next::kRequeue;
  decision.outcome = outcome;
  // Closings before the start count in a row: an attempt that began ends the row.
  decision.protocol_retries = state.phase == Phase::kStarted ? 0 : state.protocol_retries;
  decision.crash_retries = state.crash_retries;
  decision.user_retries = state.user_retries;
  decision.reason = event.reason;
  decision.message = event.message;
  return decision;
}

Decision Suspend(const HeldState& state) {
  Decision decision = Requeue(state, Outcome::kSuspended,
                              {EventKind::kExited, -1, 0, "SUSPENDED", "suspended on request"});
  decision.paused = true;
  return decision;
}

// The first repeat goes at once, so that a dead worker costs its run one lease and no more; a run
// that keeps losing its attempts backs off.
absl::Duration DelayBefore(int retry) {
  if (retry <= 1) return absl::ZeroDuration();
  return std::min(absl::Seconds(1) * (1 << std::min(retry - 2, 6)), absl::Seconds(60));
}

// Nothing of the user's ran: repeated without touching a budget of the user's.
Decision RetryFree(const HeldState& state, const Event& event) {
  if (state.stop == Stop::kCancel) return EndCancelled();
  if (state.stop == Stop::kSuspend) return Suspend(state);
  const int retries = state.protocol_retries + 1;
  if (retries >= kMaxProtocolRetries) {
    Decision decision = End(
        Outcome::kCrashed, "QUARANTINED",
        fmt::format("closed {} times before user code began; last: {}", retries, event.message));
    decision.quarantined = true;
    return decision;
  }
  Decision decision = Requeue(state, Outcome::kLost, event);
  decision.delay = DelayBefore(retries);
  decision.protocol_retries = retries;
  return decision;
}

// The end, unless the run's own policy gives it another attempt.
Decision EndOrRetry(const HeldState& state, Outcome outcome, RetryCause cause, const Event& event) {
  if (!state.retry.Allows(cause, state.user_retries))
    return End(outcome, event.reason, event.message);
  Decision decision = Requeue(state, outcome, event);
  decision.user_retries = state.user_retries + 1;
  decision.delay = state.retry.DelayBefore(decision.user_retries, state.chance);
  return decision;
}

Decision Crash(const HeldState& state, const Event& event) {
  // A stop was wanted, so no retry; but nobody confirmed that nothing runs, so CANCELLED would be a
  // guess.
  if (state.stop == Stop::kCancel) return End(Outcome::kCrashed, event.reason, event.message);
  if (state.stop == Stop::kSuspend) return Suspend(state);
  if (state.crash_retries >= state.crash_retries_allowed)
    return EndOrRetry(state, Outcome::kCrashed, RetryCause::kCrashed, event);
  Decision decision = Requeue(state, Outcome::kCrashed, event);
  decision.crash_retries = state.crash_retries + 1;
  decision.delay = DelayBefore(decision.crash_retries);
  return decision;
}

// User code ended after a stop was asked for: the stop counts, whatever the exit code says.
Decision Stopped(const HeldState& state) {
  if (state.stop == Stop::kCancel) return EndCancelled();
  if (state.stop == Stop::kSuspend) return Suspend(state);
  return EndOrRetry(state, Outcome::kFailed, RetryCause::kTimedOut,
                    {EventKind::kExited, -1, 0, "TIMED_OUT", "ran longer than its timeout"});
}

Decision Exited(const HeldState& state, const Event& event) {
  // Ended before its gate: only a stop does that, or a holder that died.
  if (state.phase != Phase::kStarted) return RetryFree(state, event);
  if (state.stop != Stop::kNone) return Stopped(state);
  if (event.signal != 0) return Crash(state, event);
  if (event.exit_code == 0) return End(Outcome::kCompleted, "", "");
  return EndOrRetry(state, Outcome::kFailed, RetryCause::kFailed, event);
}

Decision LaunchFailed(const HeldState& state, const Event& event) {
  if (state.stop == Stop::kCancel) return EndCancelled();
  if (state.stop == Stop::kSuspend) return Suspend(state);
  return EndOrRetry(state, Outcome::kFailed, RetryCause::kLaunchFailed, event);
}

// User code says by itself how it ended.
Decision Reported(const HeldState& state, const Event& event) {
  if (state.phase != Phase::kStarted) return Refuse(state);
  if (event.kind == EventKind::kRunCompleted)
    return End(Outcome::kCompleted, event.reason, event.message);
  if (state.stop == Stop::kSuspend) return Suspend(state);
  if (state.stop == Stop::kCancel) return End(Outcome::kFailed, event.reason, event.message);
  return EndOrRetry(state, Outcome::kFailed, RetryCause::kFailed, event);
}

}  // namespace

const char* NameOf(Outcome outcome) {
  switch (outcome) {
    case Outcome::kCompleted:
      return "COMPLETED";
    case Outcome::kFailed:
      return "FAILED";
    case Outcome::kCancelled:
      return "CANCELLED";
    case Outcome::kCrashed:
      return "CRASHED";
    case Outcome::kLost:
      return "LOST";
    case Outcome::kSuspended:
      return "SUSPENDED";
  }
  return "";
}

Decision Decide(const HeldState& state, const Event& event) {
  const bool started = state.phase == Phase::kStarted;
  switch (event.kind) {
    case EventKind::kLaunching:
      return Advance(state, Phase::kLaunching);
    case EventKind::kLaunched:
      return Advance(state, Phase::kLaunched);
    case EventKind::kGate:
      if (state.stop != Stop::kNone && !started) return Refuse(state);
      return Advance(state, Phase::kStarted);
    case EventKind::kExited:
      return Exited(state, event);
    case EventKind::kNeverBegan:
      return RetryFree(state, event);
    case EventKind::kHolderLost:
      return started ? Crash(state, event) : RetryFree(state, event);
    case EventKind::kLaunchFailed:
      return LaunchFailed(state, event);
    case EventKind::kHostFailed:
      return RetryFree(state, event);
    case EventKind::kLeaseLost: {
      if (!started) return RetryFree(state, event);
      Decision decision = Noop(state);
      decision.orphan = true;
      return decision;
    }
    case EventKind::kSilent:
      return started ? Crash(state, event) : RetryFree(state, event);
    case EventKind::kStartOverdue:
      return started ? Noop(state) : RetryFree(state, event);
    case EventKind::kRunCompleted:
    case EventKind::kRunFailed:
      return Reported(state, event);
  }
  return Refuse(state);
}

}  // namespace forebay::server
