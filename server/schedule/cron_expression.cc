#include "server/schedule/cron_expression.h"

#include <array>
#include <bit>
#include <string>
#include <utility>
#include <vector>

#include "common/base/status.h"
#include "common/base/text.h"
#include "server/schedule/calendar.h"
#include "server/schedule/cron_field.h"
#include "server/schedule/local_time.h"

namespace forebay::server {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kShorthands{{
    {"@hourly", "0 * * * *"},
    {"@daily", "0 0 * * *"},
    {"@midnight", "0 0 * * *"},
    {"@weekly", "0 0 * * 0"},
    {"@monthly", "0 0 1 * *"},
    {"@yearly", "0 0 1 1 *"},
    {"@annually", "0 0 1 1 *"},
}};

absl::Status Invalid(std::string_view text, std::string_view why) {
  const std::string shown = ToValidUtf8(text.substr(0, 80));
  constexpr std::string_view kAllowed =
      "five fields (minute hour day-of-month month day-of-week) or @hourly, @daily, @midnight, "
      "@weekly, @monthly, @yearly, @annually";
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_CRON")
      .Field("cron", shown)
      .With("allowed", kAllowed)
      .Says("cron '{}' {}; allowed: {}", shown, why, kAllowed);
}

std::vector<std::string_view> Fields(std::string_view text) {
  constexpr std::string_view kBlank = " \t";
  std::vector<std::string_view> fields;
  for (size_t at = text.find_first_not_of(kBlank); at != std::string_view::npos;) {
    const size_t end = text.find_first_of(kBlank, at);
    fields.push_back(text.substr(at, end - at));
    at = end == std::string_view::npos ? end : text.find_first_not_of(kBlank, end);
  }
  return fields;
}

bool IsStepOverAll(std::string_view field) {
  return field.substr(0, 2) == "*/" && field.find(',') == std::string_view::npos;
}

bool Has(uint64_t set, int value) { return (set >> value & 1) != 0; }

// The lowest number of the set that is `least` or more; -1: none.
int LowestFrom(uint64_t set, int least) {
  const uint64_t rest = least > 63 ? 0 : set >> least << least;
  return rest == 0 ? -1 : std::countr_zero(rest);
}

int FromSunday(absl::CivilDay day) { return (static_cast<int>(absl::GetWeekday(day)) + 1) % 7; }

// The days of a month that match; bit n is day n.
uint64_t MatchingDays(const CronExpression& cron, absl::CivilMonth month) {
  const absl::CivilDay first(month);
  const int length = static_cast<int>(absl::CivilDay(month + 1) - first);
  const uint64_t all = ((uint64_t{1} << length) - 1) << 1;
  // The week's pattern, repeated and turned so that day 1 has its weekday.
  uint64_t weeks = 0;
  for (int week = 0; week < 6; ++week) weeks |= cron.weekdays << (7 * week);
  weeks = weeks >> FromSunday(first) << 1;
  return all & (cron.either_day ? cron.days | weeks : cron.days & weeks);
}

std::optional<absl::CivilDay> NextDay(const CronExpression& cron, absl::CivilDay from) {
  int least = from.day();
  for (absl::CivilMonth month(from); month.year() <= kLastScheduleYear; ++month, least = 1) {
    if (!Has(cron.months, month.month())) continue;
    const int day = LowestFrom(MatchingDays(cron, month), least);
    if (day > 0) return absl::CivilDay(month.year(), month.month(), day);
  }
  return std::nullopt;
}

// The first matching minute from `from` on, on the same day.
std::optional<absl::CivilMinute> NextOfDay(const CronExpression& cron, absl::CivilMinute from) {
  int hour = from.hour();
  int minute = Has(cron.hours, hour) ? LowestFrom(cron.minutes, from.minute()) : -1;
  if (minute < 0) {
    hour = LowestFrom(cron.hours, hour + 1);
    minute = LowestFrom(cron.minutes, 0);
  }
  if (hour < 0) return std::nullopt;
  return absl::CivilMinute(from.year(), from.month(), from.day(), hour, minute);
}

std::optional<absl::Time> NextByElapsedTime(const CronExpression& cron, const absl::TimeZone& zone,
                                            absl::Time after) {
  absl::Time at = WholeSecond(after);
  absl::CivilSecond local = absl::ToCivilSecond(at, zone);
  absl::CivilSecond search_after = local;
  // From one change of the clock to the next the local time runs as time does.
  while (true) {
    const auto match = NextMatch(cron, search_after);
    if (!match) return std::nullopt;
    const absl::Time fire = at + absl::Seconds(absl::CivilSecond(*match) - local);
    absl::TimeZone::CivilTransition change;
    if (!zone.NextTransition(at, &change)) return fire;
    const absl::Time changes_at = at + absl::Seconds(change.from - local);
    if (fire < changes_at) return fire;
    at = changes_at;
    local = change.to;
    search_after = local - 1;
  }
}

}  // namespace

absl::StatusOr<CronExpression> ParseCron(std::string_view text, bool day_or) {
  if (text.size() > kMostCronLength) return Invalid(text, "is longer than 1024 bytes");
  std::string_view trimmed = Trim(text);
  if (!trimmed.empty() && trimmed[0] == '@') {
    const std::string name = ToLower(trimmed);
    for (const auto& [shorthand, meaning] : kShorthands) {
      if (name == shorthand) trimmed = meaning;
    }
    if (trimmed[0] == '@') return Invalid(text, "is no known shorthand");
  }
  const std::vector<std::string_view> fields = Fields(trimmed);
  if (fields.size() != 5) {
    return Invalid(text, fmt::format("has {} fields, not five", fields.size()));
  }
  CronExpression cron;
  ASSIGN_OR_RETURN(cron.minutes, ParseCronField(kCronMinute, fields[0]));
  ASSIGN_OR_RETURN(cron.hours, ParseCronField(kCronHour, fields[1]));
  ASSIGN_OR_RETURN(cron.days, ParseCronField(kCronDayOfMonth, fields[2]));
  ASSIGN_OR_RETURN(cron.months, ParseCronField(kCronMonth, fields[3]));
  ASSIGN_OR_RETURN(cron.weekdays, ParseCronField(kCronDayOfWeek, fields[4]));
  cron.either_day = day_or && cron.days != EveryValue(kCronDayOfMonth) &&
                    cron.weekdays != EveryValue(kCronDayOfWeek);
  cron.every_hour = cron.hours == EveryValue(kCronHour) || IsStepOverAll(fields[1]);
  return cron;
}

std::optional<absl::CivilMinute> NextMatch(const CronExpression& cron, absl::CivilSecond after) {
  const absl::CivilMinute from = absl::CivilMinute(after) + 1;
  const absl::CivilDay today(from);
  auto day = NextDay(cron, today);
  if (day == today) {
    if (const auto match = NextOfDay(cron, from)) return match;
    day = NextDay(cron, today + 1);
  }
  if (!day) return std::nullopt;
  return NextOfDay(cron, absl::CivilMinute(*day));
}

std::optional<absl::Time> NextCronFire(const CronExpression& cron, const absl::TimeZone& zone,
                                       absl::Time after) {
  if (cron.every_hour) return NextByElapsedTime(cron, zone, after);
  absl::CivilSecond local = LatestLocal(zone, after);
  while (const auto match = NextMatch(cron, local)) {
    const absl::Time fire = InstantOf(zone, absl::CivilSecond(*match));
    if (fire > after) return fire;
    local = absl::CivilSecond(*match);
  }
  return std::nullopt;
}

}  // namespace forebay::server
