#include "server/schedule/recurrence_period.h"

#include <algorithm>
#include <bit>
#include <vector>

#include "server/schedule/recurrence_days.h"

namespace forebay::server {
namespace {

bool Has(uint64_t set, int value) { return (set >> value & 1) != 0; }
// A set that says nothing allows everything.
bool Allows(uint64_t set, int value) { return set == 0 || Has(set, value); }

uint64_t Only(int value) { return uint64_t{1} << value; }

// The lowest number of the set that is `least` or more; -1: none.
int LowestFrom(uint64_t set, int least) {
  const uint64_t rest = least > 63 ? 0 : set >> least << least;
  return rest == 0 ? -1 : std::countr_zero(rest);
}

// The nth number of the set, from 0; there are more than n.
int Nth(uint64_t set, int64_t n) {
  for (; n > 0; --n) set &= set - 1;
  return std::countr_zero(set);
}

absl::CivilSecond At(absl::CivilDay day, int hour, int minute, int second) {
  return absl::CivilSecond(day.year(), day.month(), day.day(), hour, minute, second);
}

// The first time on `from`'s day that is `from` or later.
std::optional<absl::CivilSecond> FirstOfDay(const RecurrencePeriod& period,
                                            absl::CivilSecond from) {
  int hour = from.hour();
  int minute = from.minute();
  int second = -1;
  if (Has(period.hours, hour)) {
    if (Has(period.minutes, minute)) second = LowestFrom(period.seconds, from.second());
    if (second < 0) minute = LowestFrom(period.minutes, minute + 1);
  } else {
    minute = -1;
  }
  if (minute < 0) {
    hour = LowestFrom(period.hours, hour + 1);
    minute = LowestFrom(period.minutes, 0);
    second = -1;
  }
  if (hour < 0) return std::nullopt;
  if (second < 0) second = LowestFrom(period.seconds, 0);
  return At(absl::CivilDay(from), hour, minute, second);
}

// BYSETPOS: positions in the sequence of all occurrences of the period.
std::optional<absl::CivilSecond> FirstSelected(const RecurrencePattern& rule,
                                               const RecurrencePeriod& period,
                                               absl::CivilSecond after) {
  std::vector<absl::CivilDay> days;
  for (absl::CivilDay day = NextAllowedDay(rule, period.first, period.end); day < period.end;
       day = NextAllowedDay(rule, day + 1, period.end)) {
    days.push_back(day);
  }
  const int64_t seconds = std::popcount(period.seconds);
  const int64_t an_hour = seconds * std::popcount(period.minutes);
  const int64_t a_day = an_hour * std::popcount(period.hours);
  const int64_t all = a_day * static_cast<int64_t>(days.size());
  std::optional<absl::CivilSecond> first;
  for (const int position : rule.positions) {
    const int64_t place = position > 0 ? position - 1 : all + position;
    if (place < 0 || place >= all) continue;
    const absl::CivilSecond found =
        At(days[static_cast<size_t>(place / a_day)], Nth(period.hours, place % a_day / an_hour),
           Nth(period.minutes, place % an_hour / seconds), Nth(period.seconds, place % seconds));
    if (found > after && (!first || found < *first)) first = found;
  }
  return first;
}

}  // namespace

int64_t PeriodNumber(const RecurrencePattern& rule, absl::CivilSecond start,
                     absl::CivilSecond time) {
  switch (rule.frequency) {
    case Frequency::kYearly:
      return absl::CivilYear(time) - absl::CivilYear(start);
    case Frequency::kMonthly:
      return absl::CivilMonth(time) - absl::CivilMonth(start);
    case Frequency::kWeekly:
      return (WeekStart(rule, absl::CivilDay(time)) - WeekStart(rule, absl::CivilDay(start))) / 7;
    case Frequency::kDaily:
      return absl::CivilDay(time) - absl::CivilDay(start);
    case Frequency::kHourly:
      return absl::CivilHour(time) - absl::CivilHour(start);
    case Frequency::kMinutely:
      return absl::CivilMinute(time) - absl::CivilMinute(start);
    case Frequency::kSecondly:
      break;
  }
  return time - start;
}

absl::CivilSecond PeriodStart(const RecurrencePattern& rule, absl::CivilSecond start,
                              int64_t number) {
  switch (rule.frequency) {
    case Frequency::kYearly:
      return absl::CivilSecond(absl::CivilYear(start) + number);
    case Frequency::kMonthly:
      return absl::CivilSecond(absl::CivilMonth(start) + number);
    case Frequency::kWeekly:
      return absl::CivilSecond(WeekStart(rule, absl::CivilDay(start)) + 7 * number);
    case Frequency::kDaily:
      return absl::CivilSecond(absl::CivilDay(start) + number);
    case Frequency::kHourly:
      return absl::CivilSecond(absl::CivilHour(start) + number);
    case Frequency::kMinutely:
      return absl::CivilSecond(absl::CivilMinute(start) + number);
    case Frequency::kSecondly:
      break;
  }
  return start + number;
}

RecurrencePeriod PeriodAt(const RecurrencePattern& rule, absl::CivilSecond begin) {
  const absl::CivilDay first(begin);
  RecurrencePeriod period{first, first + 1, rule.hours, rule.minutes, rule.seconds};
  if (rule.frequency == Frequency::kYearly) {
    period.end = absl::CivilDay(absl::CivilYear(begin) + 1);
  } else if (rule.frequency == Frequency::kMonthly) {
    period.end = absl::CivilDay(absl::CivilMonth(begin) + 1);
  } else if (rule.frequency == Frequency::kWeekly) {
    period.end = first + 7;
  }
  if (rule.frequency >= Frequency::kHourly) period.hours = Only(begin.hour());
  if (rule.frequency >= Frequency::kMinutely) period.minutes = Only(begin.minute());
  if (rule.frequency >= Frequency::kSecondly) period.seconds = Only(begin.second());
  return period;
}

absl::CivilSecond SkipForbidden(const RecurrencePattern& rule, absl::CivilSecond begin) {
  const absl::CivilDay day(begin);
  if (!AllowsMonth(rule, day)) return absl::CivilSecond(absl::CivilMonth(begin) + 1);
  if (!AllowsDay(rule, day)) return absl::CivilSecond(day + 1);
  if (rule.frequency >= Frequency::kHourly && !Allows(rule.hours, begin.hour())) {
    const int hour = LowestFrom(rule.hours, begin.hour());
    return hour < 0 ? absl::CivilSecond(day + 1) : At(day, hour, 0, 0);
  }
  if (rule.frequency >= Frequency::kMinutely && !Allows(rule.minutes, begin.minute())) {
    const int minute = LowestFrom(rule.minutes, begin.minute());
    return minute < 0 ? absl::CivilSecond(absl::CivilHour(begin) + 1)
                      : At(day, begin.hour(), minute, 0);
  }
  if (rule.frequency == Frequency::kSecondly && !Allows(rule.seconds, begin.second())) {
    const int second = LowestFrom(rule.seconds, begin.second());
    return second < 0 ? absl::CivilSecond(absl::CivilMinute(begin) + 1)
                      : At(day, begin.hour(), begin.minute(), second);
  }
  return begin;
}

std::optional<absl::CivilSecond> FirstOccurrence(const RecurrencePattern& rule,
                                                 const RecurrencePeriod& period,
                                                 absl::CivilSecond after) {
  if (!rule.positions.empty()) return FirstSelected(rule, period, after);
  const absl::CivilSecond from = std::max(after + 1, absl::CivilSecond(period.first));
  absl::CivilDay day = NextAllowedDay(rule, absl::CivilDay(from), period.end);
  if (day == absl::CivilDay(from) && day < period.end) {
    if (const auto found = FirstOfDay(period, from)) return found;
    day = NextAllowedDay(rule, day + 1, period.end);
  }
  if (day >= period.end) return std::nullopt;
  return FirstOfDay(period, absl::CivilSecond(day));
}

}  // namespace forebay::server
