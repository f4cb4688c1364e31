#pragma once

// The periods of a recurrence rule (years, months … seconds, by its FREQ) and what occurs in one.
// Pure.

#include <cstdint>
#include <optional>

#include "absl/time/civil_time.h"
#include "server/schedule/recurrence_pattern.h"

namespace forebay::server {

// Days [first, end) and times of day as sets; every time of an allowed day is an occurrence.
struct RecurrencePeriod {
  absl::CivilDay first;
  absl::CivilDay end;
  uint64_t hours = 0;
  uint64_t minutes = 0;
  uint64_t seconds = 0;
};

// The number of the period that holds `time`, counted from the one that holds `start`.
int64_t PeriodNumber(const RecurrencePattern& rule, absl::CivilSecond start,
                     absl::CivilSecond time);

// When that period begins.
absl::CivilSecond PeriodStart(const RecurrencePattern& rule, absl::CivilSecond start,
                              int64_t number);

// The period that begins then. `rule` has its defaults.
RecurrencePeriod PeriodAt(const RecurrencePattern& rule, absl::CivilSecond begin);

// For DAILY and shorter periods: `begin` if the rule allows the period that begins there, else a
// later time before which it allows none.
absl::CivilSecond SkipForbidden(const RecurrencePattern& rule, absl::CivilSecond begin);

// The first occurrence of the period after `after`.
std::optional<absl::CivilSecond> FirstOccurrence(const RecurrencePattern& rule,
                                                 const RecurrencePeriod& period,
                                                 absl::CivilSecond after);

}  // namespace forebay::server
