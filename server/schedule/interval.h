#pragma once

// Fires that are one interval apart. Pure; immutable values.

#include <cstdint>
#include <optional>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace forebay::server {

// One interval before and after its anchor, without end on either side.
struct Interval {
  absl::TimeZone zone;
  absl::Time anchor;
  int64_t seconds = 0;
  // For whole days: the fires keep the anchor's local time, whatever the clock does in between.
  std::optional<absl::CivilSecond> local_anchor;
};

// INVALID_ARGUMENT: INVALID_INTERVAL unless `every` is whole seconds from one second to 36525 days.
// The anchor is cut to its second.
absl::StatusOr<Interval> ParseInterval(absl::Duration every, absl::Time anchor,
                                       const absl::TimeZone& zone);

// The first fire after `after`. Constant time.
absl::Time NextIntervalFire(const Interval& interval, absl::Time after);

}  // namespace forebay::server
