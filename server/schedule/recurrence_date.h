#pragma once

// Dates and times as RFC 5545 writes them: 20260131, 20260131T093000, 20260131T083000Z. Pure.

#include <optional>
#include <string_view>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace forebay::server {

struct RecurrenceDate {
  // In UTC if `utc`, else local.
  absl::CivilSecond time;
  bool utc = false;
};

// Nothing: not such a date, or one that the calendar does not have. A date without a time is its
// midnight.
std::optional<RecurrenceDate> ParseRecurrenceDate(std::string_view text);

absl::Time InstantOf(const absl::TimeZone& zone, const RecurrenceDate& date);

inline constexpr std::string_view kRecurrenceDateForm =
    "20260131, 20260131T093000 or, in UTC, 20260131T093000Z";

}  // namespace forebay::server
