#pragma once

// Makes the runs of schedules ahead of their time, one per schedule and fire, and ends those that
// came too late for their schedule's taste. All by the database's clock; in transactions that carry
// the duty's fence.

#include <memory>

#include "common/base/random.h"
#include "common/base/uuid.h"
#include "server/claim/signals.h"
#include "server/duties/duty.h"
#include "server/store/snapshots.h"

namespace forebay::server {

std::unique_ptr<Duty> MakeSchedulingDuty(Signals& signals, Snapshots& snapshots, UuidSource& ids,
                                         Random& random);

}  // namespace forebay::server
