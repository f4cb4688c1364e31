#pragma once

// Which runs of a schedule to make now, and when to look again. Pure.
//
// Ahead: the fires of the next hour, at least 3, at most 100. Behind, after an outage of all
// servers: what the schedule wants made up.

#include <optional>
#include <vector>

#include "absl/time/time.h"
#include "server/schedule/timetable.h"

namespace forebay::server {

enum class CatchUp { kAll, kLast, kSkip };

struct CatchUpRule {
  CatchUp kind = CatchUp::kAll;
  // What is overdue; absent: nothing ever is.
  std::optional<absl::Duration> window;
};

struct LookAhead {
  // In order; those behind come first.
  std::vector<absl::Time> fires;
  // Fires up to here have their runs now, or shall have none.
  absl::Time made_until;
  // Absent: it never fires again.
  std::optional<absl::Time> look_at;
};

// `made_until`: fires up to there have their runs. At most 1000 runs at once; more is left to the
// next look, which is due at once then.
LookAhead PlanFires(const Timetable& timetable, const CatchUpRule& rule, absl::Time made_until,
                    absl::Time now);

}  // namespace forebay::server
