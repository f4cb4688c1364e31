#pragma once

// One of the five fields of a cron expression, as the set of numbers that it allows. Pure.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace forebay::server {

// What may stand in a field. The day of the week goes to 7 while it is read; 7 is Sunday, 0.
struct CronFieldKind {
  std::string_view name;
  int least = 0;
  int most = 0;
  // Three letters each; the first one stands for `least`.
  std::string_view names;
};

inline constexpr CronFieldKind kCronMinute{"minute", 0, 59, ""};
inline constexpr CronFieldKind kCronHour{"hour", 0, 23, ""};
inline constexpr CronFieldKind kCronDayOfMonth{"day-of-month", 1, 31, ""};
inline constexpr CronFieldKind kCronMonth{"month", 1, 12, "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC"};
inline constexpr CronFieldKind kCronDayOfWeek{"day-of-week", 0, 7, "SUNMONTUEWEDTHUFRISAT"};

// Bit n is set where n is allowed. `text` is a list of `*`, `n`, `n-m`, each with `/step` or
// without; `n/step` goes to the field's end. INVALID_ARGUMENT (INVALID_CRON; `field` is the kind's
// name, `value` the part of the text that is wrong, `allowed` what would do).
absl::StatusOr<uint64_t> ParseCronField(const CronFieldKind& kind, std::string_view text);

// The set of a field that allows everything.
uint64_t EveryValue(const CronFieldKind& kind);

}  // namespace forebay::server
