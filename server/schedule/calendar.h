#pragma once

// The bounds of all schedules. No clock: absl's civil time is the proleptic Gregorian calendar.

#include <cstdint>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace forebay::server {

// No schedule fires after this year: a search for the next fire ends here. Zone data says nothing
// reliable of any later time either.
inline constexpr absl::civil_year_t kLastScheduleYear = 2299;

// An anchor (or DTSTART) is at most 36525 days, a hundred Julian years, from now.
inline constexpr absl::Duration kMostAnchorDistance = absl::Hours(24 * 36525);

// The quotient rounded towards minus infinity; `divisor` is positive.
constexpr int64_t FloorDivide(int64_t dividend, int64_t divisor) {
  const int64_t quotient = dividend / divisor;
  return dividend % divisor < 0 ? quotient - 1 : quotient;
}

// The second that `time` lies in.
inline absl::Time WholeSecond(absl::Time time) {
  return absl::FromUnixSeconds(absl::ToUnixSeconds(time));
}

}  // namespace forebay::server
