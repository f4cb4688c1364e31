#pragma once

// Small duties: runs that their deployment wants no queue of, partitions for the weeks to come,
// forgotten idempotency keys and join tokens, tables that have outgrown what PostgreSQL plans for,
// and a recount of slots, which finds nothing unless something is wrong.

#include <memory>

#include "common/base/clock.h"
#include "server/claim/signals.h"
#include "server/duties/duty.h"

namespace forebay::server {

// The net under the claim rounds, which end such runs where workers wait for work.
std::unique_ptr<Duty> MakeCollisionDuty();
std::unique_ptr<Duty> MakePartitionDuty(const Clock& clock);
std::unique_ptr<Duty> MakeCleaningDuty();
// For statements whose plans were made when a table was empty (ADR 26).
std::unique_ptr<Duty> MakeStatisticsDuty();
std::unique_ptr<Duty> MakeRecountDuty(Signals& signals);

// Partitions of this week and four weeks ahead. Called once at start, before runs are accepted,
// and by the duty.
absl::Status EnsurePartitions(Session& session, absl::Time now);

}  // namespace forebay::server
