#pragma once

// The lines of a recurrence: DTSTART, RRULE, RDATE, EXDATE of RFC 5545. Pure.

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "server/schedule/recurrence_pattern.h"

namespace forebay::server {

inline constexpr size_t kMostRecurrenceLength = 4096;
inline constexpr size_t kMostRecurrenceRules = 8;

// What the lines say. Each rule has its defaults; dates are in order.
struct RecurrenceText {
  absl::CivilSecond start;
  std::vector<RecurrencePattern> rules;
  std::vector<absl::Time> dates;
  std::vector<absl::Time> excluded;
};

// A line without a name is an RRULE. Times without a Z are local to `zone`; a TZID must name it.
// Without a DTSTART line `anchor`, cut to its second, is DTSTART. INVALID_ARGUMENT: INVALID_RRULE,
// `field` names the line or the part.
absl::StatusOr<RecurrenceText> ParseRecurrenceText(std::string_view text, absl::Time anchor,
                                                   const absl::TimeZone& zone);

}  // namespace forebay::server
