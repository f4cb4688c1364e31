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

// At most `plan.total` of the queues' own order and, with `gated`, as many of what waits beside it.
// Runs found in the wrong place of the two are put right and left for the next round; `misplaced`
// counts them.
absl::StatusOr<std::vector<Candidate>> LockCandidates(Session& session, const Uuid& pool,
                                                      const ClaimPlan& plan, bool gated,
                                                      int& misplaced);

}  // namespace forebay::server
