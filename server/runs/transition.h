#pragma once

// The transition table: what an event does to an attempt and its run. Pure, and the only place that
// decides; SQL and RPC code carry out what it says. Thread-safe: a function of its arguments.

#include <cstdint>
#include <string>

#include "absl/time/time.h"
#include "server/runs/retry_policy.h"

namespace forebay::server {

enum class Phase { kGranted = 0, kLaunching = 1, kLaunched = 2, kStarted = 3 };

// Of an attempt. kLost: closed by the protocol, not by the run. kSuspended: ended so that the run
// can go on later with a fresh attempt.
enum class Outcome { kCompleted, kFailed, kCancelled, kCrashed, kLost, kSuspended };

// "COMPLETED", …
const char* NameOf(Outcome outcome);

// Why an end of the attempt is wanted from outside. A cancel overrules the others.
enum class Stop { kNone, kCancel, kTimeout, kSuspend };

// How the run says that it ended.
enum class Said { kNothing, kCompleted, kFailed };

// What stands before the event.
struct HeldState {
  Phase phase = Phase::kGranted;
  Stop stop = Stop::kNone;
  // Protocol retries (no budget of the user's) and crash retries that this run has used.
  int protocol_retries = 0;
  int crash_retries = 0;
  int crash_retries_allowed = 0;
  // Retries that its own policy has granted it.
  int user_retries = 0;
  RetryPolicy retry;
  // Its own program passes the gate and reports for itself.
  bool own_gate = false;
  Said said = Said::kNothing;
  std::string said_message;
  // Begun by hand: nothing but its own word ends it.
  bool alone = false;
  // Drawn by the caller from [0, 1) for the jitter of a delay.
  double chance = 0;
};

enum class EventKind {
  kLaunching,     // the worker is about to create infrastructure
  kLaunched,      // infrastructure exists, user code has not begun
  kGate,          // the start gate, with the right ticket
  kExited,        // user code ended with an exit code or a signal
  kNeverBegan,    // past the gate, but provably no user code ran
  kHolderLost,    // the infrastructure is gone without a word
  kLaunchFailed,  // nothing was started, and a retry would not help
  kHostFailed,    // nothing was started, the host's fault
  kLeaseLost,     // the worker's lease ended
  kSilent,        // past the gate and nobody heard of it for crash_after
  kStartOverdue,  // the gate was not passed by the start deadline
  kRunCompleted,  // user code reported success by itself
  kRunFailed,     // user code reported failure by itself
  kSaidLongAgo,   // it reported its end, and its infrastructure does not end
};

struct Event {
  EventKind kind = EventKind::kLaunching;
  // kExited: the exit code, or -1 with `signal` set.
  int exit_code = -1;
  int signal = 0;
  std::string reason;
  std::string message;
};

// What happens to the run when an attempt ends.
enum class Next { kNone, kEnd, kRequeue };

struct Decision {
  // The event changes nothing and contradicts nothing: answer as if applied.
  bool noop = false;
  // The event does not fit the phase: refuse it, change nothing.
  bool refused = false;
  Phase phase = Phase::kGranted;
  // To be remembered until the infrastructure has ended.
  Said says = Said::kNothing;
  // The worker's lease is over but the infrastructure may live: wait for an adopter.
  bool orphan = false;
  // With kEnd or kRequeue the attempt is over.
  Next next = Next::kNone;
  Outcome outcome = Outcome::kLost;
  // kRequeue: back in the queue after this long, or (paused) until somebody resumes it.
  absl::Duration delay = absl::ZeroDuration();
  bool paused = false;
  int protocol_retries = 0;
  int crash_retries = 0;
  int user_retries = 0;
  // The run ended because it was closed too often before it began; counts against its deployment.
  bool quarantined = false;
  std::string reason;
  std::string message;
};

// Attempts closed by the protocol before the run is quarantined.
inline constexpr int kMaxProtocolRetries = 5;
// Quarantined runs in a row before the deployment is.
inline constexpr int kMaxQuarantinedRuns = 3;

Decision Decide(const HeldState& state, const Event& event);

}  // namespace forebay::server
