#pragma once

// The fires of a recurrence (RFC 5545): all RRULEs and RDATEs, without the EXDATEs. Pure;
// immutable values.
//
// Rules name local times, see local_time.h; that holds for HOURLY and shorter ones too. DTSTART is
// a fire only if a rule or an RDATE says so, and none is before it but an RDATE. A rule's periods
// are reached by division, so that it does not matter how long ago DTSTART is.
//
// Why no library: libical 3.0.16 passes over BYSETPOS in all but monthly and yearly rules, refuses
// FREQ=YEARLY;BYWEEKNO=20, and walks every single hour or second to the next fire, in one call that
// can last many seconds and cannot be ended.

#include <optional>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "server/schedule/recurrence_text.h"

namespace forebay::server {

// Periods that one search looks at, at most: some hundredths of a second. The search gives up
// there, and the rule counts as one that never fires again. Only rules that fire less than once in
// many years come near.
inline constexpr int kMostRecurrencePeriods = 500'000;

struct Recurrence {
  absl::TimeZone zone;
  RecurrenceText text;
};

// INVALID_ARGUMENT: INVALID_RRULE as ParseRecurrenceText has it. Each COUNT becomes the UNTIL that
// it means: at most kMostRecurrenceCount steps.
absl::StatusOr<Recurrence> ParseRecurrence(std::string_view text, absl::Time anchor,
                                           const absl::TimeZone& zone);

// DTSTART.
absl::Time StartOf(const Recurrence& recurrence);

// The first fire after `after`.
std::optional<absl::Time> NextRecurrenceFire(const Recurrence& recurrence, absl::Time after);

}  // namespace forebay::server
