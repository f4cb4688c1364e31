#include "server/schedule/recurrence.h"

#include <algorithm>
#include <numeric>

#include "common/base/status.h"
#include "server/schedule/calendar.h"
#include "server/schedule/local_time.h"
#include "server/schedule/recurrence_period.h"

namespace forebay::server {
namespace {

// The first occurrence after `after`, within what a search may look at.
std::optional<absl::CivilSecond> NextOccurrence(const RecurrencePattern& rule,
                                                absl::CivilSecond start, absl::CivilSecond after) {
  after = std::max(after, start - 1);
  const int64_t interval = rule.interval;
  int64_t number =
      FloorDivide(PeriodNumber(rule, start, std::max(after, start)), interval) * interval;
  for (int looked_at = 0; looked_at < kMostRecurrencePeriods; ++looked_at) {
    const absl::CivilSecond begin = PeriodStart(rule, start, number);
    if (begin.year() > kLastScheduleYear || (rule.until && begin > *rule.until)) break;
    if (rule.frequency >= Frequency::kDaily) {
      const absl::CivilSecond skipped = SkipForbidden(rule, begin);
      if (skipped > begin) {
        number = -FloorDivide(-PeriodNumber(rule, start, skipped), interval) * interval;
        continue;
      }
    }
    if (const auto found = FirstOccurrence(rule, PeriodAt(rule, begin), after)) {
      const bool counts =
          found->year() <= kLastScheduleYear && (!rule.until || *found <= *rule.until);
      return counts ? found : std::nullopt;
    }
    number += interval;
  }
  return std::nullopt;
}

// The steps of an HOURLY, MINUTELY or SECONDLY rule come round to the same times of day for ever.
// Whether one of those times is allowed: otherwise the search would end at its bound only.
bool ReachesAllowedTime(const RecurrencePattern& rule, absl::CivilSecond start) {
  if (rule.frequency < Frequency::kHourly) return true;
  const int64_t in_hour = rule.frequency == Frequency::kHourly     ? 1
                          : rule.frequency == Frequency::kMinutely ? 60
                                                                   : 3600;
  const int64_t in_minute = std::max<int64_t>(in_hour / 60, 1);
  const int64_t step = std::gcd(rule.interval, 24 * in_hour);
  const int64_t first = (start - absl::CivilSecond(absl::CivilDay(start))) * in_hour / 3600 % step;
  const auto allows = [](uint64_t set, int64_t value) {
    return set == 0 || (set >> value & 1) != 0;
  };
  for (int64_t at = first; at < 24 * in_hour; at += step) {
    const bool allowed = allows(rule.hours, at / in_hour) &&
                         (in_hour == 1 || allows(rule.minutes, at % in_hour / in_minute)) &&
                         (in_minute == 1 || allows(rule.seconds, at % in_minute));
    if (allowed) return true;
  }
  return false;
}

// UNTIL in place of COUNT.
void EndAfterCount(RecurrencePattern& rule, absl::CivilSecond start) {
  absl::CivilSecond last = start - 1;
  for (int64_t left = *rule.count; left > 0; --left) {
    const auto next = NextOccurrence(rule, start, last);
    if (!next) break;
    last = *next;
  }
  rule.until = last;
  rule.count.reset();
}

std::optional<absl::Time> NextOfRule(const Recurrence& recurrence, const RecurrencePattern& rule,
                                     absl::CivilSecond local, absl::Time after) {
  while (const auto next = NextOccurrence(rule, recurrence.text.start, local)) {
    const absl::Time fire = InstantOf(recurrence.zone, *next);
    if (fire > after) return fire;
    local = *next;
  }
  return std::nullopt;
}

// With the dates that EXDATE takes away.
std::optional<absl::Time> NextOfAll(const Recurrence& recurrence, absl::Time after) {
  const RecurrenceText& text = recurrence.text;
  const absl::CivilSecond local = LatestLocal(recurrence.zone, after);
  std::optional<absl::Time> first;
  for (const RecurrencePattern& rule : text.rules) {
    const auto fire = NextOfRule(recurrence, rule, local, after);
    if (fire && (!first || *fire < *first)) first = fire;
  }
  const auto date = std::upper_bound(text.dates.begin(), text.dates.end(), after);
  if (date != text.dates.end() && (!first || *date < *first)) first = *date;
  return first;
}

}  // namespace

absl::StatusOr<Recurrence> ParseRecurrence(std::string_view text, absl::Time anchor,
                                           const absl::TimeZone& zone) {
  Recurrence recurrence{zone, {}};
  ASSIGN_OR_RETURN(recurrence.text, ParseRecurrenceText(text, anchor, zone));
  const absl::CivilSecond start = recurrence.text.start;
  // Looked for once, not with every call.
  std::erase_if(recurrence.text.rules, [&](const RecurrencePattern& rule) {
    return !ReachesAllowedTime(rule, start) || !NextOccurrence(rule, start, start - 1);
  });
  for (RecurrencePattern& rule : recurrence.text.rules) {
    if (rule.count) EndAfterCount(rule, start);
  }
  return recurrence;
}

absl::Time StartOf(const Recurrence& recurrence) {
  return InstantOf(recurrence.zone, recurrence.text.start);
}

std::optional<absl::Time> NextRecurrenceFire(const Recurrence& recurrence, absl::Time after) {
  const std::vector<absl::Time>& excluded = recurrence.text.excluded;
  auto fire = NextOfAll(recurrence, after);
  while (fire && std::binary_search(excluded.begin(), excluded.end(), *fire)) {
    fire = NextOfAll(recurrence, *fire);
  }
  return fire;
}

}  // namespace forebay::server
