#pragma once

// Runs that are due and might be granted now, locked, in the order in which they must start.
// Blocking; in the caller's transaction.

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "server/claim/assignment.h"
#include "server/claim/parking.h"
#include "server/db/session.h"
#include "server/queue/claim_plan.h"
#include "server/queue/low_water_mark.h"

namespace forebay::server {

struct Candidate {
  GrantedRun run;
  Uuid queue;
  Uuid deployment;
  int64_t revision = 0;
  absl::Time due;
  // Shared limits of which it takes a slot.
  std::vector<Uuid> limits;
  // The deployment has limits of its own.
  bool gated = false;
  std::optional<Reservation> reservation;
  std::string ticket_hash;
  bool granted = false;
};

// At most `walk.total` of the queues' own order, from where `walk` says; what was found is written
// there. Runs found in the wrong place are put beside the order and left for the next round;
// `misplaced` counts them.
absl::StatusOr<std::vector<Candidate>> LockInOrder(Session& session, ClaimWalk& walk,
                                                   int& misplaced);

// Adds as many of what waits beside the order, of deployments with limits.
absl::Status LockBesideOrder(Session& session, const Uuid& pool, const ClaimPlan& plan,
                             std::vector<Candidate>& candidates);

}  // namespace forebay::server
