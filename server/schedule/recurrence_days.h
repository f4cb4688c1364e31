#pragma once

// Which days a recurrence rule allows, whatever its frequency's periods. Pure; constant time.

#include "absl/time/civil_time.h"
#include "server/schedule/recurrence_pattern.h"

namespace forebay::server {

// Whether BYMONTH, BYWEEKNO, BYYEARDAY, BYMONTHDAY and BYDAY all allow the day. A BYDAY with a
// number counts within the month, or within the year for FREQ=YEARLY without BYMONTH. A week's
// number is that of the year that holds at least four of its days, for every day of the week.
bool AllowsDay(const RecurrencePattern& rule, absl::CivilDay day);

inline bool AllowsMonth(const RecurrencePattern& rule, absl::CivilDay day) {
  return rule.months == 0 || (rule.months >> day.month() & 1) != 0;
}

// The first allowed day of [from, end), or `end`.
absl::CivilDay NextAllowedDay(const RecurrencePattern& rule, absl::CivilDay from,
                              absl::CivilDay end);

// The first day of the week that holds `day`.
absl::CivilDay WeekStart(const RecurrencePattern& rule, absl::CivilDay day);

}  // namespace forebay::server
