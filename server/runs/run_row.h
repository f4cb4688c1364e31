#pragma once

// The columns of read_run and list_runs, read once, and the state that follows from them. Pure but
// for the Rows.

#include <optional>
#include <string>
#include <vector>

#include "forebay/v1/flow_run.pb.h"
#include "server/db/session.h"
#include "server/runs/transition.h"

namespace forebay::server {

// A waiting run.
struct QueuedPart {
  int attempt = 0;
  std::string reason;
  std::string message;
  absl::Time queued_at;
  absl::Time due_at;
  bool not_due = false;
  // Overdue for longer than its pool calls late.
  bool late = false;
  bool paused = false;
  // How often it was paused or resumed while it waited for this attempt.
  int changes = 0;
  // Its deployment has limits of its own.
  bool gated = false;
};

// A held one.
struct HeldPart {
  int attempt = 0;
  int phase = 0;
  absl::Time granted_at;
  std::optional<absl::Time> launched_at;
  std::optional<absl::Time> started_at;
  std::optional<absl::Time> cancel_requested_at;
  Stop stop = Stop::kNone;
  absl::Time start_deadline;
  std::string worker;
  std::string worker_name;
  std::string infrastructure_name;
  std::string infrastructure_id;
  int64_t epoch = 0;
  bool orphaned = false;
  // Begun by hand.
  bool alone = false;
};

struct RunRow {
  v1::FlowRun run;
  Uuid pool;
  Uuid queue;
  Uuid deployment;
  bool pool_paused = false;
  bool queue_paused = false;
  bool deployment_paused = false;
  std::string quarantine_reason;
  std::optional<QueuedPart> queued;
  std::optional<HeldPart> held;
};

// Who and where, by name.
struct RunNames {
  std::string team;
  std::string flow;
  std::string deployment;
  std::string pool;
  std::string queue;
};
void SetNames(const RunNames& names, v1::FlowRun& run);
// The state, and all that follows from it.
void SetQueued(const QueuedPart& queued, v1::FlowRun& run);
void SetHeld(const HeldPart& held, v1::FlowRun& run);

// Fills everything of `run` but attempts, states and the waiting reason.
RunRow ReadRunRow(const Rows& rows, size_t row);

v1::Attempt LiveAttempt(const HeldPart& held);
v1::StateType StateTypeOf(std::string_view name);
// "SCHEDULED" and "Scheduled".
std::string_view StateNameOf(v1::StateType type);
std::string StateWordOf(v1::StateType type);

}  // namespace forebay::server
