#include "server/runs/transition.h"

#include "tests/support/catch.h"

namespace forebay::server {
namespace {

HeldState At(Phase phase, bool cancel = false) {
  HeldState state;
  state.phase = phase;
  if (cancel) state.stop = Stop::kCancel;
  return state;
}

Event Exit(int code) {
  Event event;
  event.kind = EventKind::kExited;
  event.exit_code = code;
  return event;
}

Event Of(EventKind kind) {
  Event event;
  event.kind = kind;
  event.reason = "WORKER_LOST";
  event.message = "gone";
  return event;
}

TEST_CASE("transition: exit codes decide a started attempt", "[transition]") {
  CHECK(Decide(At(Phase::kStarted), Exit(0)).outcome == Outcome::kCompleted);
  CHECK(Decide(At(Phase::kStarted), Exit(3)).outcome == Outcome::kFailed);
  CHECK(Decide(At(Phase::kStarted), Exit(0)).next == Next::kEnd);
}

TEST_CASE("transition: a signal crashes, and crash retries bring the run back", "[transition]") {
  Event killed = Exit(-1);
  killed.signal = 9;
  CHECK(Decide(At(Phase::kStarted), killed).next == Next::kEnd);
  CHECK(Decide(At(Phase::kStarted), killed).outcome == Outcome::kCrashed);
  HeldState retried = At(Phase::kStarted);
  retried.crash_retries_allowed = 1;
  const Decision decision = Decide(retried, killed);
  CHECK(decision.next == Next::kRequeue);
  CHECK(decision.crash_retries == 1);
  retried.crash_retries = 1;
  CHECK(Decide(retried, killed).next == Next::kEnd);
}

TEST_CASE("transition: a cancel wins over every way to end but silence", "[transition]") {
  CHECK(Decide(At(Phase::kStarted, true), Exit(0)).outcome == Outcome::kCancelled);
  CHECK(Decide(At(Phase::kGranted, true), Of(EventKind::kLeaseLost)).outcome ==
        Outcome::kCancelled);
  CHECK(Decide(At(Phase::kStarted, true), Of(EventKind::kSilent)).outcome == Outcome::kCrashed);
  CHECK(Decide(At(Phase::kLaunched, true), Of(EventKind::kGate)).refused);
}

TEST_CASE("transition: a lost lease frees an attempt before its gate and orphans one after it",
          "[transition]") {
  for (const Phase phase : {Phase::kGranted, Phase::kLaunching, Phase::kLaunched}) {
    const Decision decision = Decide(At(phase), Of(EventKind::kLeaseLost));
    CHECK(decision.next == Next::kRequeue);
    CHECK(decision.delay == absl::ZeroDuration());
    CHECK(decision.protocol_retries == 1);
  }
  const Decision started = Decide(At(Phase::kStarted), Of(EventKind::kLeaseLost));
  CHECK(started.orphan);
  CHECK(started.next == Next::kNone);
}

TEST_CASE("transition: the fifth free retry quarantines, with pauses growing before it",
          "[transition]") {
  HeldState state = At(Phase::kGranted);
  absl::Duration last;
  for (int retry = 1; retry < kMaxProtocolRetries; ++retry) {
    const Decision decision = Decide(state, Of(EventKind::kHostFailed));
    REQUIRE(decision.next == Next::kRequeue);
    CHECK(decision.delay >= last);
    last = decision.delay;
    state.protocol_retries = decision.protocol_retries;
  }
  const Decision final_one = Decide(state, Of(EventKind::kHostFailed));
  CHECK(final_one.next == Next::kEnd);
  CHECK(final_one.quarantined);
  CHECK(final_one.reason == "QUARANTINED");
}

TEST_CASE("transition: phases only grow", "[transition]") {
  for (const Phase phase :
       {Phase::kGranted, Phase::kLaunching, Phase::kLaunched, Phase::kStarted}) {
    for (const EventKind kind : {EventKind::kLaunching, EventKind::kLaunched, EventKind::kGate}) {
      CHECK(Decide(At(phase), Of(kind)).phase >= phase);
    }
  }
}

TEST_CASE("transition: a run reports for itself only after its gate", "[transition]") {
  CHECK(Decide(At(Phase::kLaunched), Of(EventKind::kRunCompleted)).refused);
  const Decision said = Decide(At(Phase::kStarted), Of(EventKind::kRunCompleted));
  CHECK(said.next == Next::kNone);
  CHECK(said.says == Said::kCompleted);
  CHECK(Decide(At(Phase::kStarted), Of(EventKind::kRunFailed)).says == Said::kFailed);
}

HeldState WithOwnGate(Phase phase, Said said = Said::kNothing) {
  HeldState state = At(phase);
  state.own_gate = true;
  state.said = said;
  return state;
}

TEST_CASE("transition: what a run said counts once its infrastructure has ended", "[transition]") {
  for (const EventKind kind :
       {EventKind::kExited, EventKind::kHolderLost, EventKind::kSilent, EventKind::kSaidLongAgo}) {
    Event end = Exit(3);
    end.kind = kind;
    for (const Stop stop : {Stop::kNone, Stop::kCancel, Stop::kTimeout, Stop::kSuspend}) {
      HeldState completed = WithOwnGate(Phase::kStarted, Said::kCompleted);
      completed.stop = stop;
      CHECK(Decide(completed, end).outcome == Outcome::kCompleted);
    }
    const Decision failed = Decide(WithOwnGate(Phase::kStarted, Said::kFailed), end);
    CHECK(failed.outcome == Outcome::kFailed);
    CHECK(failed.reason == "REPORTED_FAILED");
  }
}

TEST_CASE("transition: the first word of a run stands", "[transition]") {
  const HeldState state = WithOwnGate(Phase::kStarted, Said::kFailed);
  CHECK(Decide(state, Of(EventKind::kRunFailed)).noop);
  CHECK(Decide(state, Of(EventKind::kRunCompleted)).refused);
  CHECK(Decide(WithOwnGate(Phase::kStarted), Of(EventKind::kSaidLongAgo)).noop);
}

TEST_CASE("transition: a run that has its own gate and ends without a word has crashed",
          "[transition]") {
  for (const int code : {0, 1, 143}) {
    const Decision decision = Decide(WithOwnGate(Phase::kStarted), Exit(code));
    CHECK(decision.outcome == Outcome::kCrashed);
    CHECK(decision.reason == "ENDED_UNREPORTED");
  }
  HeldState cancelled = WithOwnGate(Phase::kStarted);
  cancelled.stop = Stop::kCancel;
  CHECK(Decide(cancelled, Exit(143)).outcome == Outcome::kCancelled);
}

TEST_CASE("transition: a program that ends before its own gate failed, unless it lost the gate",
          "[transition]") {
  const Decision failed = Decide(WithOwnGate(Phase::kLaunched), Exit(1));
  CHECK(failed.outcome == Outcome::kFailed);
  CHECK(failed.reason == "ENGINE_FAILED");
  const Decision lost = Decide(WithOwnGate(Phase::kLaunched), Exit(75));
  CHECK(lost.next == Next::kRequeue);
  CHECK(lost.protocol_retries == 1);
}

HeldState WithPolicy(RetryPolicy policy, int used = 0) {
  HeldState state = At(Phase::kStarted);
  state.retry = std::move(policy);
  state.user_retries = used;
  return state;
}

constexpr unsigned kFailures = static_cast<unsigned>(RetryCause::kFailed);
constexpr unsigned kTimeouts = static_cast<unsigned>(RetryCause::kTimedOut);

TEST_CASE("transition: a policy's retries are used up one by one", "[transition]") {
  const RetryPolicy policy{2, {absl::Seconds(10), absl::Seconds(60)}, 0, kFailures};
  const Decision first = Decide(WithPolicy(policy), Exit(1));
  CHECK(first.next == Next::kRequeue);
  CHECK(first.outcome == Outcome::kFailed);
  CHECK(first.user_retries == 1);
  CHECK(first.delay == absl::Seconds(10));
  CHECK(Decide(WithPolicy(policy, 1), Exit(1)).delay == absl::Seconds(60));
  CHECK(Decide(WithPolicy(policy, 2), Exit(1)).next == Next::kEnd);
  CHECK(Decide(WithPolicy(policy), Exit(0)).outcome == Outcome::kCompleted);
}

TEST_CASE("transition: the last delay repeats, and jitter only makes it longer", "[transition]") {
  const RetryPolicy policy{9, {absl::Seconds(1), absl::Seconds(4)}, 0.5, kFailures};
  CHECK(policy.DelayBefore(7, 0) == absl::Seconds(4));
  CHECK(policy.DelayBefore(7, 0.999) > absl::Seconds(5));
  CHECK(policy.DelayBefore(7, 0.999) <= absl::Seconds(6));
  CHECK(RetryPolicy{1, {}, 0, kFailures}.DelayBefore(1, 0.5) == absl::ZeroDuration());
}

TEST_CASE("transition: a policy retries what it names and nothing else", "[transition]") {
  const RetryPolicy failures{5, {}, 0, kFailures};
  Event killed = Exit(-1);
  killed.signal = 9;
  CHECK(Decide(WithPolicy(failures), killed).next == Next::kEnd);
  HeldState late = WithPolicy(failures);
  late.stop = Stop::kTimeout;
  CHECK(Decide(late, Exit(143)).next == Next::kEnd);
  CHECK(Decide(late, Exit(143)).reason == "TIMED_OUT");
  late.retry.on = kTimeouts;
  CHECK(Decide(late, Exit(143)).next == Next::kRequeue);
  // Even a clean exit after the stop is a timeout: the command was told to end.
  CHECK(Decide(late, Exit(0)).outcome == Outcome::kFailed);
}

TEST_CASE("transition: a suspended attempt goes back paused from every stage", "[transition]") {
  for (const Phase phase :
       {Phase::kGranted, Phase::kLaunching, Phase::kLaunched, Phase::kStarted}) {
    HeldState state = At(phase);
    state.stop = Stop::kSuspend;
    for (const EventKind kind : {EventKind::kExited, EventKind::kHolderLost, EventKind::kSilent,
                                 EventKind::kLaunchFailed, EventKind::kHostFailed}) {
      const Decision decision = Decide(state, Of(kind));
      CHECK(decision.next == Next::kRequeue);
      CHECK(decision.outcome == Outcome::kSuspended);
      CHECK(decision.paused);
    }
  }
}

TEST_CASE("transition: whoever is to be stopped does not pass the gate", "[transition]") {
  for (const Stop stop : {Stop::kCancel, Stop::kSuspend}) {
    HeldState state = At(Phase::kLaunched);
    state.stop = stop;
    CHECK(Decide(state, Of(EventKind::kGate)).refused);
  }
}

TEST_CASE("transition: an attempt that began ends the row of those that did not", "[transition]") {
  HeldState state = WithPolicy({5, {}, 0, kFailures});
  state.protocol_retries = kMaxProtocolRetries - 1;
  CHECK(Decide(state, Exit(1)).protocol_retries == 0);
}

TEST_CASE("transition: of a run by hand its own word is the end", "[transition]") {
  HeldState state = At(Phase::kStarted);
  state.alone = true;
  state.retry.retries = 3;
  const Decision completed = Decide(state, Of(EventKind::kRunCompleted));
  CHECK(completed.next == Next::kEnd);
  CHECK(completed.outcome == Outcome::kCompleted);
  const Decision failed = Decide(state, Of(EventKind::kRunFailed));
  CHECK(failed.next == Next::kEnd);
  CHECK(failed.outcome == Outcome::kFailed);
  CHECK(failed.message == "gone");
  CHECK(Decide(state, Of(EventKind::kSilent)).outcome == Outcome::kCrashed);
}

TEST_CASE("transition: a run by hand that was asked to stop and failed is cancelled",
          "[transition]") {
  HeldState state = At(Phase::kStarted);
  state.alone = true;
  for (const Stop stop : {Stop::kCancel, Stop::kSuspend}) {
    state.stop = stop;
    CHECK(Decide(state, Of(EventKind::kRunFailed)).outcome == Outcome::kCancelled);
    CHECK(Decide(state, Of(EventKind::kRunFailed)).next == Next::kEnd);
    CHECK(Decide(state, Of(EventKind::kRunCompleted)).outcome == Outcome::kCompleted);
  }
}

TEST_CASE("transition: a run by hand that falls silent has crashed, whatever was asked of it",
          "[transition]") {
  HeldState state = At(Phase::kStarted);
  state.alone = true;
  state.crash_retries_allowed = 3;
  for (const Stop stop : {Stop::kNone, Stop::kCancel, Stop::kSuspend}) {
    state.stop = stop;
    const Decision silent = Decide(state, Of(EventKind::kSilent));
    CHECK(silent.next == Next::kEnd);
    CHECK(silent.outcome == Outcome::kCrashed);
  }
}

}  // namespace
}  // namespace forebay::server
