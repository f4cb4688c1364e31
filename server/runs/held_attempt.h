#pragma once

// A row of held_attempts, locked by the transaction that reads it or remembered, and what shall
// become of it.

#include <optional>
#include <string>
#include <vector>

#include "common/base/uuid.h"
#include "forebay/v1/worker_protocol.pb.h"
#include "server/claim/signals.h"
#include "server/db/session.h"
#include "server/runs/transition.h"

namespace forebay::server {

struct HeldAttempt {
  Uuid run;
  int attempt = 0;
  int64_t epoch = 0;
  Uuid pool;
  Uuid queue;
  Uuid deployment;
  Uuid worker;
  HeldState state;
  std::string ticket_hash;
  std::string run_token_hash;
  int64_t worker_log_sequence = 0;
  // Shared limits of which it holds a slot.
  std::vector<Uuid> limits;
  // Between SIGTERM and SIGKILL, where the stop said so.
  std::optional<absl::Duration> stop_grace;
  // Not read: as fresh_attempts.h has it. The statement that changes the row checks it.
  bool remembered = false;
};

// Of the columns in which statements say why a stop is wanted; null: none is.
Stop ReadStop(const Rows& rows, size_t row, int column);
v1::StopReason StopReasonOf(Stop stop);

// The columns of held_columns (runs.sql).
HeldAttempt ReadHeldAttempt(const Rows& rows, size_t row);
// Locks the attempts of these runs, in run id order; runs without a held attempt are not in the
// answer.
absl::StatusOr<std::vector<HeldAttempt>> LockAttempts(Session& session, std::vector<Uuid> runs);

// As of v1::Usage.
struct ResourceUsage {
  std::optional<int64_t> cpu_user_micros;
  std::optional<int64_t> cpu_system_micros;
  std::optional<int64_t> max_rss_bytes;
  std::optional<int64_t> cpu_micros;
  std::optional<int64_t> cpu_reserved_micros;
  std::optional<int64_t> memory_reserved_byte_seconds;
};

// One attempt's change within a transaction: where it stands after all events of the batch.
struct AttemptChange {
  HeldAttempt before;
  Phase phase = Phase::kGranted;
  std::optional<std::string> infrastructure_name;
  std::optional<std::string> infrastructure_id;
  std::optional<std::string> run_token_hash;
  Said said = Said::kNothing;
  std::string said_message;
  // Set when the attempt is over.
  std::optional<Decision> end;
  std::optional<int> exit_code;
  // That its log has by its end.
  int64_t log_lines = 0;
  ResourceUsage usage;
};

// What to signal once the transaction has committed.
struct Aftermath {
  // Something came back to the queue, or a slot to what other pools share.
  std::vector<Uuid> pools_ready;
  // Nothing but slots came free.
  std::vector<Uuid> pools_freed;
  std::vector<Uuid> runs_changed;
};
void Signal(const Aftermath& aftermath, Signals& signals);

// Whether it says anything new about an attempt that goes on.
bool Moved(const AttemptChange& change);

// Writes the changes: phases, ends with history, requeues, slots given back, quarantines. In the
// caller's transaction, which holds the locks of LockAttempts and shares the limits of the pools
// (ShareLimits). Adds to `aftermath`. ABORTED when a row is not as it was remembered.
absl::Status WriteChanges(Session& session, const std::vector<AttemptChange>& changes,
                          Aftermath& aftermath);

}  // namespace forebay::server
