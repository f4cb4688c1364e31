#include "server/schedule/recurrence_pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <string>

#include "common/base/status.h"
#include "common/base/text.h"
#include "server/schedule/local_time.h"
#include "server/schedule/recurrence_date.h"
#include "server/schedule/recurrence_error.h"

namespace forebay::server {
namespace {

constexpr std::array<std::string_view, 7> kFrequencies = {"YEARLY", "MONTHLY",  "WEEKLY",  "DAILY",
                                                          "HOURLY", "MINUTELY", "SECONDLY"};
constexpr std::array<std::string_view, 7> kWeekdays = {"MO", "TU", "WE", "TH", "FR", "SA", "SU"};
constexpr std::string_view kWeekdayForm = "MO, TU, WE, TH, FR, SA, SU";

using Parts = std::map<std::string, std::string_view, std::less<>>;

absl::StatusOr<int64_t> ParseNumber(std::string_view part, std::string_view text, int64_t least,
                                    int64_t most, bool from_end) {
  std::string_view digits = text;
  const bool negative = from_end && !text.empty() && text[0] == '-';
  if (from_end && !text.empty() && (text[0] == '-' || text[0] == '+')) digits.remove_prefix(1);
  const bool is_number =
      !digits.empty() && digits.find_first_not_of("0123456789") == std::string_view::npos;
  const auto number = is_number ? ParseInt(digits) : std::nullopt;
  if (!number || *number < least || *number > most) {
    std::string allowed = fmt::format("{} to {}", least, most);
    if (from_end) allowed += fmt::format(", -{} to -{}", most, least);
    return InvalidRecurrence(part, text, number ? "is out of range" : "is no whole number",
                             allowed);
  }
  return negative ? -*number : *number;
}

absl::StatusOr<uint64_t> ParseSet(const Parts& parts, std::string_view part, int least, int most) {
  const auto found = parts.find(part);
  if (found == parts.end()) return uint64_t{0};
  uint64_t set = 0;
  for (const std::string_view item : Split(found->second, ',')) {
    ASSIGN_OR_RETURN(const int64_t number, ParseNumber(part, item, least, most, false));
    set |= uint64_t{1} << number;
  }
  return set;
}

absl::StatusOr<std::vector<int>> ParseSigned(const Parts& parts, std::string_view part, int most) {
  std::vector<int> numbers;
  const auto found = parts.find(part);
  if (found == parts.end()) return numbers;
  for (const std::string_view item : Split(found->second, ',')) {
    ASSIGN_OR_RETURN(const int64_t number, ParseNumber(part, item, 1, most, true));
    numbers.push_back(static_cast<int>(number));
  }
  return numbers;
}

absl::Status ParseSignedSets(const Parts& parts, std::string_view part, int most, uint64_t& set,
                             uint64_t& from_end) {
  ASSIGN_OR_RETURN(const std::vector<int> numbers, ParseSigned(parts, part, most));
  for (const int number : numbers) {
    (number > 0 ? set : from_end) |= uint64_t{1} << std::abs(number);
  }
  return absl::OkStatus();
}

std::optional<int> WeekdayOf(std::string_view text) {
  const auto found = std::find(kWeekdays.begin(), kWeekdays.end(), text);
  if (found == kWeekdays.end()) return std::nullopt;
  return static_cast<int>(found - kWeekdays.begin());
}

absl::Status ParseWeekdays(const Parts& parts, RecurrencePattern& rule) {
  const auto found = parts.find("BYDAY");
  if (found == parts.end()) return absl::OkStatus();
  const bool yearly = rule.frequency == Frequency::kYearly;
  for (const std::string_view item : Split(found->second, ',')) {
    const auto weekday = item.size() < 2 ? std::nullopt : WeekdayOf(item.substr(item.size() - 2));
    if (!weekday) return InvalidRecurrence("BYDAY", item, "is no weekday", kWeekdayForm);
    const std::string_view nth = item.substr(0, item.size() - 2);
    if (nth.empty()) {
      rule.weekdays |= uint64_t{1} << *weekday;
      continue;
    }
    if ((!yearly && rule.frequency != Frequency::kMonthly) || rule.HasWeeks()) {
      return InvalidRecurrence("BYDAY", item,
                               "counts weekdays where there is no month or year to count in",
                               kWeekdayForm);
    }
    const int most = yearly && rule.months == 0 ? 53 : 5;
    ASSIGN_OR_RETURN(const int64_t number, ParseNumber("BYDAY", nth, 1, most, true));
    rule.nth_weekdays.push_back({static_cast<int>(number), *weekday});
  }
  return absl::OkStatus();
}

absl::StatusOr<Parts> SplitParts(std::string_view text) {
  static const auto* const known = new std::vector<std::string>{
      "FREQ",       "INTERVAL",  "COUNT", "UNTIL",  "WKST",     "BYMONTH",  "BYWEEKNO",
      "BYMONTHDAY", "BYYEARDAY", "BYDAY", "BYHOUR", "BYMINUTE", "BYSECOND", "BYSETPOS"};
  Parts parts;
  for (const std::string_view part : Split(text, ';')) {
    const size_t sign = part.find('=');
    if (sign == std::string_view::npos) {
      return InvalidRecurrence("RRULE", part, "is no NAME=VALUE", Join(*known, ", "));
    }
    const std::string name(part.substr(0, sign));
    const std::string_view value = part.substr(sign + 1);
    if (std::find(known->begin(), known->end(), name) == known->end()) {
      return InvalidRecurrence(name, value, "is no known part", Join(*known, ", "));
    }
    if (!parts.emplace(name, value).second) {
      return InvalidRecurrence(name, value, "is given twice", "once");
    }
  }
  return parts;
}

absl::Status ParseHead(const Parts& parts, const absl::TimeZone& zone, RecurrencePattern& rule) {
  const auto part = [&](std::string_view name) {
    const auto found = parts.find(name);
    return found == parts.end() ? std::nullopt : std::optional(found->second);
  };
  const std::string_view frequency = part("FREQ").value_or("");
  const auto known = std::find(kFrequencies.begin(), kFrequencies.end(), frequency);
  if (known == kFrequencies.end()) {
    return InvalidRecurrence("FREQ", frequency, part("FREQ") ? "is no frequency" : "is missing",
                             "YEARLY, MONTHLY, WEEKLY, DAILY, HOURLY, MINUTELY, SECONDLY");
  }
  rule.frequency = static_cast<Frequency>(known - kFrequencies.begin());
  if (const auto text = part("INTERVAL")) {
    ASSIGN_OR_RETURN(rule.interval,
                     ParseNumber("INTERVAL", *text, 1, kMostRecurrenceInterval, false));
  }
  if (const auto text = part("COUNT")) {
    ASSIGN_OR_RETURN(rule.count, ParseNumber("COUNT", *text, 1, kMostRecurrenceCount, false));
  }
  if (const auto text = part("UNTIL")) {
    if (rule.count) {
      return InvalidRecurrence("UNTIL", *text, "stands beside COUNT", "one of the two");
    }
    const auto date = ParseRecurrenceDate(*text);
    if (!date) return InvalidRecurrence("UNTIL", *text, "is no date", kRecurrenceDateForm);
    rule.until = date->utc ? LatestLocal(zone, InstantOf(zone, *date)) : date->time;
  }
  if (const auto text = part("WKST")) {
    const auto weekday = WeekdayOf(*text);
    if (!weekday) return InvalidRecurrence("WKST", *text, "is no weekday", kWeekdayForm);
    rule.week_start = *weekday;
  }
  return absl::OkStatus();
}

// The table of RFC 5545, section 3.3.10, where it says N/A.
absl::Status CheckTogether(const Parts& parts, const RecurrencePattern& rule) {
  const auto frequency = kFrequencies[static_cast<size_t>(rule.frequency)];
  const auto refuse = [&](std::string_view part, std::string_view allowed) {
    const std::string why = fmt::format("cannot stand with FREQ={}", frequency);
    return InvalidRecurrence(part, parts.find(part)->second, why, allowed);
  };
  if (rule.HasWeeks() && rule.frequency != Frequency::kYearly) {
    return refuse("BYWEEKNO", "FREQ=YEARLY");
  }
  if (rule.HasMonthDays() && rule.frequency == Frequency::kWeekly) {
    return refuse("BYMONTHDAY", "any other FREQ");
  }
  if (!rule.year_days.empty() && rule.frequency >= Frequency::kMonthly &&
      rule.frequency <= Frequency::kDaily) {
    return refuse("BYYEARDAY", "FREQ=YEARLY, HOURLY, MINUTELY or SECONDLY");
  }
  const bool selects = rule.HasWeeks() || rule.HasMonthDays() || rule.HasWeekdays() ||
                       !rule.year_days.empty() || rule.months != 0 ||
                       (rule.hours | rule.minutes | rule.seconds) != 0;
  if (!rule.positions.empty() && !selects) {
    return InvalidRecurrence("BYSETPOS", parts.find("BYSETPOS")->second,
                             "has nothing to select from", "BYSETPOS beside another BY part");
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RecurrencePattern> ParseRecurrencePattern(std::string_view text,
                                                         const absl::TimeZone& zone) {
  RecurrencePattern rule;
  ASSIGN_OR_RETURN(const Parts parts, SplitParts(text));
  RETURN_IF_ERROR(ParseHead(parts, zone, rule));
  ASSIGN_OR_RETURN(rule.months, ParseSet(parts, "BYMONTH", 1, 12));
  RETURN_IF_ERROR(ParseSignedSets(parts, "BYWEEKNO", 53, rule.weeks, rule.weeks_from_end));
  RETURN_IF_ERROR(
      ParseSignedSets(parts, "BYMONTHDAY", 31, rule.month_days, rule.month_days_from_end));
  ASSIGN_OR_RETURN(rule.year_days, ParseSigned(parts, "BYYEARDAY", 366));
  RETURN_IF_ERROR(ParseWeekdays(parts, rule));
  ASSIGN_OR_RETURN(rule.hours, ParseSet(parts, "BYHOUR", 0, 23));
  ASSIGN_OR_RETURN(rule.minutes, ParseSet(parts, "BYMINUTE", 0, 59));
  ASSIGN_OR_RETURN(rule.seconds, ParseSet(parts, "BYSECOND", 0, 59));
  ASSIGN_OR_RETURN(rule.positions, ParseSigned(parts, "BYSETPOS", 366));
  RETURN_IF_ERROR(CheckTogether(parts, rule));
  return rule;
}

RecurrencePattern WithDefaults(RecurrencePattern rule, absl::CivilSecond start) {
  const uint64_t weekday = uint64_t{1} << static_cast<int>(absl::GetWeekday(start));
  const uint64_t month_day = uint64_t{1} << start.day();
  const bool has_days = rule.HasMonthDays() || rule.HasWeekdays() || !rule.year_days.empty();
  const bool by_weekday = rule.HasWeeks() || rule.frequency == Frequency::kWeekly;
  if (!has_days && by_weekday) {
    rule.weekdays = weekday;
  } else if (!has_days && rule.frequency <= Frequency::kMonthly) {
    rule.month_days = month_day;
    if (rule.frequency == Frequency::kYearly && rule.months == 0) {
      rule.months = uint64_t{1} << start.month();
    }
  }
  if (rule.hours == 0 && rule.frequency < Frequency::kHourly) {
    rule.hours = uint64_t{1} << start.hour();
  }
  if (rule.minutes == 0 && rule.frequency < Frequency::kMinutely) {
    rule.minutes = uint64_t{1} << start.minute();
  }
  if (rule.seconds == 0 && rule.frequency < Frequency::kSecondly) {
    rule.seconds = uint64_t{1} << start.second();
  }
  return rule;
}

}  // namespace forebay::server
