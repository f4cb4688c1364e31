#pragma once

// When a schedule fires. Called by whatever makes runs of schedules, with its own time.
//
// Clocks that change. A local time that the zone skips fires once, at the instant at which the gap
// ends; one that comes twice fires once, the first time. A cron expression whose hour field is `*`,
// `*/n` or names all 24 hours speaks of elapsed time instead: it fires whenever the clock shows a
// matching time, in both passes of a repeated hour and not for a skipped one, so that `*/5 * * * *`
// is every five real minutes. An interval that is no multiple of 24 hours is an exact duration.
// Fires are strictly increasing: two local times that fall on one instant are one fire.
//
// Bounds. No fire is later than the year 2299. NextAfter takes one or two microseconds, up to
// twenty for BYSETPOS over whole years; rules that fire less than once in many years may take more,
// see kMostRecurrencePeriods.
//
// Pure: the same spec gives the same fires, but for changes of the host's zone data.

#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace forebay::server {

// Five fields or a shorthand; see cron_expression.h.
struct CronRule {
  std::string expression;
  // When both day-of-month and day-of-week leave out days, either one will do; false: both.
  bool day_or = true;
};

// Whole seconds, one at least; before and after the anchor alike.
struct IntervalRule {
  absl::Duration every;
  absl::Time anchor;
};

// Lines DTSTART, RRULE, RDATE, EXDATE of RFC 5545, or just "FREQ=…"; see recurrence.h. The anchor
// is DTSTART where no line is.
struct RecurrenceRule {
  std::string text;
  absl::Time anchor;
};

struct TimetableSpec {
  std::variant<CronRule, IntervalRule, RecurrenceRule> rule;
  // An IANA name; empty: UTC.
  std::string time_zone;
  // No fire is before `start` or after `end`.
  std::optional<absl::Time> start;
  std::optional<absl::Time> end;
};

// Immutable, cheap to copy; thread-safe.
class Timetable {
 public:
  // INVALID_ARGUMENT: INVALID_CRON, INVALID_INTERVAL, INVALID_RRULE, UNKNOWN_TIME_ZONE as the
  // parsers have them; INVALID_ANCHOR for an anchor or DTSTART more than 36525 days from `now`;
  // SCHEDULE_NEVER_FIRES if there is no fire after `now`. `now` does nothing else: whoever reads a
  // stored spec passes the time at which it was accepted, and gets the same answer again.
  static absl::StatusOr<Timetable> Parse(const TimetableSpec& spec, absl::Time now);

  // The first fire strictly after `after`; nothing: never again.
  std::optional<absl::Time> NextAfter(absl::Time after) const;

  // The fires in (after, until], in order, the first `most` of them.
  std::vector<absl::Time> FiresBetween(absl::Time after, absl::Time until, size_t most) const;

 private:
  struct Plan;
  explicit Timetable(std::shared_ptr<const Plan> plan) : plan_(std::move(plan)) {}

  std::shared_ptr<const Plan> plan_;
};

}  // namespace forebay::server
