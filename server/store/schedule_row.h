#pragma once

// A schedule between message, columns and timetable. Pure but for the Rows.

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "forebay/v1/schedule.pb.h"
#include "server/db/session.h"
#include "server/schedule/timetable.h"

namespace forebay::server {

// What a schedule says, checked, as it is written.
struct ScheduleRow {
  std::string kind;
  std::string expression;
  bool day_and = false;
  std::optional<int64_t> every_ms;
  // Absent: the moment of writing.
  std::optional<absl::Time> anchor;
  std::string time_zone;
  std::string parameters;
  std::string job_variables;
  std::optional<absl::Time> starts_at;
  std::optional<absl::Time> ends_at;
  std::string catch_up;
  std::optional<int64_t> catch_up_window_ms;
};

// INVALID_ARGUMENT as of CreateSchedule. `now` by the database's clock.
absl::StatusOr<ScheduleRow> ToRow(const v1::Schedule& schedule, absl::Time now);

// `anchor`: where the row leaves it open.
TimetableSpec SpecOf(const ScheduleRow& row, absl::Time anchor);

// kind, expression, day_and, every_ms, anchor, time_zone: six columns from `column` on, and the
// bounds. `accepted`: when the schedule was written.
absl::StatusOr<Timetable> ReadTimetable(const Rows& rows, size_t row, int column, int starts_at,
                                        int ends_at, absl::Time accepted);

// "cron", "interval" or "rrule".
std::string KindOf(const v1::Schedule& schedule);

}  // namespace forebay::server
