#pragma once

// A cron expression and the local times that it names. Pure; immutable values.

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace forebay::server {

inline constexpr size_t kMostCronLength = 1024;

// The sets of allowed numbers; bit n stands for n. Weekdays count from Sunday, 0.
struct CronExpression {
  uint64_t minutes = 0;
  uint64_t hours = 0;
  uint64_t days = 0;
  uint64_t months = 0;
  uint64_t weekdays = 0;
  // A day needs to match only one of `days` and `weekdays`.
  bool either_day = false;
  // The hour field is `*`, `*/n` or a list of all hours: the expression speaks of elapsed time, not
  // of fixed hours.
  bool every_hour = false;
};

// Five fields or one of @hourly @daily @midnight @weekly @monthly @yearly @annually.
// `day_or`: when neither day field allows every day, either will do; otherwise both must match.
// INVALID_ARGUMENT: INVALID_CRON as ParseCronField has it, `field` "cron" for the expression as a
// whole.
absl::StatusOr<CronExpression> ParseCron(std::string_view text, bool day_or);

// The first matching minute after `after`; nothing: none until the end of kLastScheduleYear.
// At most one step a month.
std::optional<absl::CivilMinute> NextMatch(const CronExpression& cron, absl::CivilSecond after);

// The first fire after `after` in a zone. An expression with `every_hour` fires at each instant
// whose local time matches: in both passes of a repeated hour, and not for a skipped one. Any
// other one names local times, see local_time.h.
std::optional<absl::Time> NextCronFire(const CronExpression& cron, const absl::TimeZone& zone,
                                       absl::Time after);

}  // namespace forebay::server
