#pragma once

// One RRULE value of RFC 5545 as data. Pure.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace forebay::server {

enum class Frequency { kYearly, kMonthly, kWeekly, kDaily, kHourly, kMinutely, kSecondly };

// The nth, or from the end the -nth, such weekday; 0 is Monday.
struct NthWeekday {
  int nth = 0;
  int weekday = 0;
};

// Sets are bit masks; an empty one says nothing. What counts from the end counts from 1.
struct RecurrencePattern {
  Frequency frequency = Frequency::kYearly;
  int64_t interval = 1;
  std::optional<int64_t> count;
  std::optional<absl::CivilSecond> until;
  int week_start = 0;
  uint64_t months = 0;
  uint64_t month_days = 0;
  uint64_t month_days_from_end = 0;
  uint64_t weeks = 0;
  uint64_t weeks_from_end = 0;
  uint64_t weekdays = 0;
  std::vector<NthWeekday> nth_weekdays;
  std::vector<int> year_days;
  uint64_t hours = 0;
  uint64_t minutes = 0;
  uint64_t seconds = 0;
  std::vector<int> positions;

  bool HasWeekdays() const { return weekdays != 0 || !nth_weekdays.empty(); }
  bool HasMonthDays() const { return (month_days | month_days_from_end) != 0; }
  bool HasWeeks() const { return (weeks | weeks_from_end) != 0; }
};

// Fires of a COUNT at most.
inline constexpr int64_t kMostRecurrenceCount = 100'000;
// INTERVAL at most.
inline constexpr int64_t kMostRecurrenceInterval = 1'000'000;

// `text` is "FREQ=DAILY;…"; `zone` is that of an UNTIL in UTC. An UNTIL without a time is midnight.
// INVALID_ARGUMENT: INVALID_RRULE (`field` names the part, `value` what is wrong, `allowed` what
// would do) for an unknown, repeated or missing part, a value out of range, or parts that RFC 5545
// does not let stand together. BYSECOND=60 is refused: no clock of this project shows it.
absl::StatusOr<RecurrencePattern> ParseRecurrencePattern(std::string_view text,
                                                         const absl::TimeZone& zone);

// The rule with what RFC 5545 takes from DTSTART where the rule does not say it.
RecurrencePattern WithDefaults(RecurrencePattern rule, absl::CivilSecond start);

}  // namespace forebay::server
