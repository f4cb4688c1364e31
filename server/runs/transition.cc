#include "server/runs/transition.h"

#include <fmt/format.h>

#include <algorithm>

#include "common/base/exit_code.h"

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

Decision LaunchFailed(const HeldState& state, const Event& event) {
  if (state.stop == Stop::kCancel) return EndCancelled();
  if (state.stop == Stop::kSuspend) return Suspend(state);
  return EndOrRetry(state, Outcome::kFailed, RetryCause::kLaunchFailed, event);
}

// The run's own word, now that its infrastructure has ended. A stop that came too late for the code
// that completed comes too late.
Decision AsSaid(const HeldState& state) {
  if (state.said == Said::kCompleted) return End(Outcome::kCompleted, "", state.said_message);
  if (state.stop == Stop::kSuspend) return Suspend(state);
  const Event failed{EventKind::kRunFailed, -1, 0, "REPORTED_FAILED", state.said_message};
  if (state.stop == Stop::kCancel) return End(Outcome::kFailed, failed.reason, failed.message);
  return EndOrRetry(state, Outcome::kFailed, RetryCause::kFailed, failed);
}

// A program that passes its gate itself and ended before it: it could not begin, unless it has lost
// its gate to another attempt or to a stop.
Decision EndedBeforeOwnGate(const HeldState& state, const Event& event) {
  const bool failed = event.kind == EventKind::kExited && event.exit_code >= 0;
  if (!failed || event.exit_code == kExitGateLost) return RetryFree(state, event);
  return LaunchFailed(state, {EventKind::kLaunchFailed, event.exit_code, 0, "ENGINE_FAILED",
                              fmt::format("the engine ended with exit code {} before it began the "
                                          "flow; the run's log says why",
                                          event.exit_code)});
}

Decision EndedUnsaid(const HeldState& state, const Event& event) {
  if (event.signal != 0) return Crash(state, event);
  return Crash(
      state, {event.kind, event.exit_code, 0, "ENDED_UNREPORTED",
              fmt::format("ended with exit code {} without having reported how", event.exit_code)});
}

Decision Exited(const HeldState& state, const Event& event) {
  // Ended before its gate: a plain command does that only by a stop or when its holder died.
  if (state.phase != Phase::kStarted)
    return state.own_gate ? EndedBeforeOwnGate(state, event) : RetryFree(state, event);
  if (state.said != Said::kNothing) return AsSaid(state);
  if (state.stop != Stop::kNone) return Stopped(state);
  if (state.own_gate) return EndedUnsaid(state, event);
  if (event.signal != 0) return Crash(state, event);
  if (event.exit_code == 0) return End(Outcome::kCompleted, "", "");
  return EndOrRetry(state, Outcome::kFailed, RetryCause::kFailed, event);
}

// Nobody else will say anything. A program that was asked to stop and failed has done as it was
// asked; it cannot go on later, so a suspension ends it like a cancel.
Decision EndedByHand(const HeldState& state, const Event& event) {
  if (event.kind == EventKind::kRunCompleted) return End(Outcome::kCompleted, "", event.message);
  if (state.stop != Stop::kNone) return EndCancelled();
  return End(Outcome::kFailed, "REPORTED_FAILED", event.message);
}

// User code says by itself how it ended. The first word stands.
Decision Reported(const HeldState& state, const Event& event) {
  const Said says = event.kind == EventKind::kRunCompleted ? Said::kCompleted : Said::kFailed;
  if (state.phase != Phase::kStarted) return Refuse(state);
  if (state.alone) return EndedByHand(state, event);
  if (state.said != Said::kNothing) return state.said == says ? Noop(state) : Refuse(state);
  Decision decision;
  decision.phase = state.phase;
  decision.says = says;
  return decision;
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
      if (state.said != Said::kNothing) return AsSaid(state);
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
    case EventKind::kSaidLongAgo:
      return state.said == Said::kNothing ? Noop(state) : AsSaid(state);
    case EventKind::kSilent:
      if (state.alone) return End(Outcome::kCrashed, event.reason, event.message);
      if (state.said != Said::kNothing) return AsSaid(state);
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
