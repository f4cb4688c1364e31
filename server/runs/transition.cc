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

// The first repeat goes at once, so that a dead worker costs its run one lease and no more; a run
// that keeps losing its attempts backs off.
absl::Duration DelayBefore(int retry) {
  if (retry <= 1) return absl::ZeroDuration();
  return std::min(absl::Seconds(1) * (1 << std::min(retry - 2, 6)), absl::Seconds(60));
}

Decision RetryFree(const HeldState& state, const Event& event) {
  if (state.cancel_requested) return EndCancelled();
  const int retries = state.protocol_retries + 1;
  if (retries >= kMaxProtocolRetries) {
    Decision decision = End(
        Outcome::kCrashed, "QUARANTINED",
        fmt::format("closed {} times before user code began; last: {}", retries, event.message));
    decision.quarantined = true;
    return decision;
  }
  Decision decision;
  decision.next = Next::kRequeue;
  decision.outcome = Outcome::kLost;
  decision.delay = DelayBefore(retries);
  decision.protocol_retries = retries;
  decision.crash_retries = state.crash_retries;
  decision.reason = event.reason;
  decision.message = event.message;
  return decision;
}

Decision Crash(const HeldState& state, const Event& event) {
  // A stop was wanted, so no retry; but nobody confirmed that nothing runs, so CANCELLED would be a
  // guess.
  if (state.cancel_requested || state.crash_retries >= state.crash_retries_allowed) {
    return End(Outcome::kCrashed, event.reason, event.message);
  }
  Decision decision;
  decision.next = Next::kRequeue;
  decision.outcome = Outcome::kCrashed;
  decision.protocol_retries = state.protocol_retries;
  decision.crash_retries = state.crash_retries + 1;
  decision.delay = DelayBefore(decision.crash_retries);
  decision.reason = event.reason;
  decision.message = event.message;
  return decision;
}

Decision Exited(const HeldState& state, const Event& event) {
  if (state.phase != Phase::kStarted) {
    // Ended before its gate: only a stop does that, or a holder that died.
    return state.cancel_requested ? EndCancelled() : RetryFree(state, event);
  }
  if (state.cancel_requested) return EndCancelled();
  if (event.signal != 0) return Crash(state, event);
  if (event.exit_code == 0) return End(Outcome::kCompleted, "", "");
  return End(Outcome::kFailed, event.reason, event.message);
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
      if (state.cancel_requested && !started) return Refuse(state);
      return Advance(state, Phase::kStarted);
    case EventKind::kExited:
      return Exited(state, event);
    case EventKind::kNeverBegan:
      return RetryFree(state, event);
    case EventKind::kHolderLost:
      return started ? Crash(state, event) : RetryFree(state, event);
    case EventKind::kLaunchFailed:
      return state.cancel_requested ? EndCancelled()
                                    : End(Outcome::kFailed, event.reason, event.message);
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
    case EventKind::kRunFailed: {
      if (!started) return Refuse(state);
      const bool completed = event.kind == EventKind::kRunCompleted;
      return End(completed ? Outcome::kCompleted : Outcome::kFailed, event.reason, event.message);
    }
  }
  return Refuse(state);
}

}  // namespace forebay::server
