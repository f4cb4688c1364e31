#pragma once

// Slow duties: partitions for the weeks to come, forgotten idempotency keys and join tokens, and a
// recount of slots, which finds nothing unless something is wrong.

#include <memory>

#include "common/base/clock.h"
#include "server/claim/signals.h"
#include "server/duties/duty.h"

namespace forebay::server {

std::unique_ptr<Duty> MakePartitionDuty(const Clock& clock);
std::unique_ptr<Duty> MakeCleaningDuty();
std::unique_ptr<Duty> MakeRecountDuty(Signals& signals);

// Partitions from last week to four weeks ahead. Called once at start, before runs are accepted,
// and by the duty.
absl::Status EnsurePartitions(Session& session, absl::Time now);

}  // namespace forebay::server
