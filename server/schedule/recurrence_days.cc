#include "server/schedule/recurrence_days.h"

#include <algorithm>

namespace forebay::server {
namespace {

bool Has(uint64_t set, int64_t value) { return (set >> value & 1) != 0; }

int WeekdayOf(absl::CivilDay day) { return static_cast<int>(absl::GetWeekday(day)); }

// A day's place in a month or year, from 1, and the number of days there.
struct Place {
  int64_t day = 0;
  int64_t days = 0;
  int64_t FromEnd() const { return days - day + 1; }
};

Place InMonth(absl::CivilDay day) {
  const absl::CivilMonth month(day);
  return {day.day(), absl::CivilDay(month + 1) - absl::CivilDay(month)};
}

Place InYear(absl::CivilDay day) {
  const absl::CivilYear year(day);
  return {absl::GetYearDay(day), absl::CivilDay(year + 1) - absl::CivilDay(year)};
}

int64_t WeekNumber(absl::CivilDay middle) { return (absl::GetYearDay(middle) - 1) / 7 + 1; }

bool AllowsWeek(const RecurrencePattern& rule, absl::CivilDay day) {
  if (!rule.HasWeeks()) return true;
  // The fourth day of a week lies in the year that the week belongs to.
  const absl::CivilDay middle = WeekStart(rule, day) + 3;
  if (Has(rule.weeks, WeekNumber(middle))) return true;
  const absl::CivilDay next_year(absl::CivilYear(middle) + 1);
  const int64_t weeks_left = (next_year - 1 - middle) / 7;
  return Has(rule.weeks_from_end, weeks_left + 1);
}

bool AllowsYearDay(const RecurrencePattern& rule, absl::CivilDay day) {
  if (rule.year_days.empty()) return true;
  const Place place = InYear(day);
  return std::any_of(rule.year_days.begin(), rule.year_days.end(),
                     [&](int n) { return n == place.day || -n == place.FromEnd(); });
}

bool AllowsMonthDay(const RecurrencePattern& rule, absl::CivilDay day) {
  if (!rule.HasMonthDays() || Has(rule.month_days, day.day())) return true;
  return rule.month_days_from_end != 0 && Has(rule.month_days_from_end, InMonth(day).FromEnd());
}

bool AllowsWeekday(const RecurrencePattern& rule, absl::CivilDay day) {
  if (!rule.HasWeekdays()) return true;
  const int weekday = WeekdayOf(day);
  if (Has(rule.weekdays, weekday)) return true;
  if (rule.nth_weekdays.empty()) return false;
  const bool by_year = rule.frequency == Frequency::kYearly && rule.months == 0;
  const Place place = by_year ? InYear(day) : InMonth(day);
  const int64_t nth = (place.day - 1) / 7 + 1;
  const int64_t nth_from_end = (place.FromEnd() - 1) / 7 + 1;
  return std::any_of(rule.nth_weekdays.begin(), rule.nth_weekdays.end(), [&](const NthWeekday& n) {
    return n.weekday == weekday && (n.nth == nth || -n.nth == nth_from_end);
  });
}

}  // namespace

bool AllowsDay(const RecurrencePattern& rule, absl::CivilDay day) {
  return AllowsMonth(rule, day) && AllowsMonthDay(rule, day) && AllowsWeekday(rule, day) &&
         AllowsYearDay(rule, day) && AllowsWeek(rule, day);
}

absl::CivilDay NextAllowedDay(const RecurrencePattern& rule, absl::CivilDay from,
                              absl::CivilDay end) {
  absl::CivilDay day = from;
  while (day < end && !AllowsDay(rule, day)) {
    day = AllowsMonth(rule, day) ? day + 1 : absl::CivilDay(absl::CivilMonth(day) + 1);
  }
  return std::min(day, end);
}

absl::CivilDay WeekStart(const RecurrencePattern& rule, absl::CivilDay day) {
  return day - (WeekdayOf(day) - rule.week_start + 7) % 7;
}

}  // namespace forebay::server
