#include "server/schedule/recurrence_date.h"

#include "common/base/text.h"
#include "server/schedule/local_time.h"

namespace forebay::server {
namespace {

// The decimal number of digits only, else -1.
int Number(std::string_view digits) {
  if (digits.find_first_not_of("0123456789") != std::string_view::npos) return -1;
  return static_cast<int>(ParseInt(digits).value_or(-1));
}

}  // namespace

std::optional<RecurrenceDate> ParseRecurrenceDate(std::string_view text) {
  RecurrenceDate date;
  if (text.size() == 16 && text.back() == 'Z') {
    date.utc = true;
    text.remove_suffix(1);
  }
  if (text.size() != (date.utc ? 15 : 8) && text.size() != 15) return std::nullopt;
  const int year = Number(text.substr(0, 4));
  const int month = Number(text.substr(4, 2));
  const int day = Number(text.substr(6, 2));
  int hour = 0;
  int minute = 0;
  int second = 0;
  if (text.size() == 15) {
    if (text[8] != 'T') return std::nullopt;
    hour = Number(text.substr(9, 2));
    minute = Number(text.substr(11, 2));
    second = Number(text.substr(13, 2));
  }
  date.time = absl::CivilSecond(year, month, day, hour, minute, second);
  // absl carries 31 April over into May.
  if (year < 1 || date.time.month() != month || date.time.day() != day ||
      date.time.hour() != hour || date.time.minute() != minute || date.time.second() != second) {
    return std::nullopt;
  }
  return date;
}

absl::Time InstantOf(const absl::TimeZone& zone, const RecurrenceDate& date) {
  return date.utc ? absl::FromCivil(date.time, absl::UTCTimeZone()) : InstantOf(zone, date.time);
}

}  // namespace forebay::server
