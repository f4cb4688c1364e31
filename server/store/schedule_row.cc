#include "server/store/schedule_row.h"

#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "server/api/messages.h"
#include "server/policy/launchable.h"

namespace forebay::server {
namespace {

constexpr absl::Duration kUsualWindow = absl::Minutes(1);

absl::Status RuleMissing() {
  return Error(absl::StatusCode::kInvalidArgument, "SCHEDULE_RULE_MISSING")
      .Field("rule", "")
      .With("allowed", "cron, interval, recurrence")
      .Next("forebay schedule create <flow>/<deployment> --cron \"0 8 * * *\"")
      .Says("the schedule has no rule; give one of cron, interval and rrule");
}

absl::Status ReadRule(const v1::Schedule& schedule, ScheduleRow& row) {
  row.kind = KindOf(schedule);
  switch (schedule.rule_case()) {
    case v1::Schedule::kCron:
      row.expression = schedule.cron().expression();
      row.day_and = schedule.cron().day_and();
      return absl::OkStatus();
    case v1::Schedule::kInterval:
      row.every_ms = absl::ToInt64Milliseconds(FromProto(schedule.interval().every()));
      if (schedule.interval().has_anchor()) row.anchor = FromProto(schedule.interval().anchor());
      return absl::OkStatus();
    case v1::Schedule::kRecurrence:
      row.expression = schedule.recurrence().text();
      if (schedule.recurrence().has_anchor())
        row.anchor = FromProto(schedule.recurrence().anchor());
      return absl::OkStatus();
    case v1::Schedule::RULE_NOT_SET:
      break;
  }
  return RuleMissing();
}

absl::Status ReadCatchUp(const v1::Schedule& schedule, ScheduleRow& row) {
  switch (schedule.catch_up()) {
    case v1::CATCH_UP_LAST:
      row.catch_up = "LAST";
      break;
    case v1::CATCH_UP_SKIP:
      row.catch_up = "SKIP";
      break;
    default:
      row.catch_up = "ALL";
  }
  if (!schedule.has_catch_up_window()) {
    if (row.catch_up != "ALL") row.catch_up_window_ms = absl::ToInt64Milliseconds(kUsualWindow);
    return absl::OkStatus();
  }
  const absl::Duration window = FromProto(schedule.catch_up_window());
  row.catch_up_window_ms = absl::ToInt64Milliseconds(window);
  return CheckDuration("catch_up_window", schedule.catch_up_window(), absl::Seconds(1),
                       absl::Hours(24 * 365));
}

absl::Status ReadBounds(const v1::Schedule& schedule, ScheduleRow& row) {
  if (schedule.has_start_time()) row.starts_at = FromProto(schedule.start_time());
  if (schedule.has_end_time()) row.ends_at = FromProto(schedule.end_time());
  if (!row.starts_at || !row.ends_at || *row.ends_at > *row.starts_at) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, "OUT_OF_RANGE")
      .Field("end_time", absl::FormatTime(absl::RFC3339_sec, *row.ends_at, absl::UTCTimeZone()))
      .Says("end_time is not after start_time");
}

}  // namespace

std::string KindOf(const v1::Schedule& schedule) {
  if (schedule.has_interval()) return "interval";
  return schedule.has_recurrence() ? "rrule" : "cron";
}

TimetableSpec SpecOf(const ScheduleRow& row, absl::Time anchor) {
  TimetableSpec spec;
  const absl::Time from = row.anchor.value_or(anchor);
  if (row.kind == "interval") {
    spec.rule = IntervalRule{absl::Milliseconds(row.every_ms.value_or(0)), from};
  } else if (row.kind == "rrule") {
    spec.rule = RecurrenceRule{row.expression, from};
  } else {
    spec.rule = CronRule{row.expression, !row.day_and};
  }
  spec.time_zone = row.time_zone;
  spec.start = row.starts_at;
  spec.end = row.ends_at;
  return spec;
}

absl::StatusOr<ScheduleRow> ToRow(const v1::Schedule& schedule, absl::Time now) {
  ScheduleRow row;
  RETURN_IF_ERROR(ReadRule(schedule, row));
  row.time_zone = schedule.time_zone();
  RETURN_IF_ERROR(ReadBounds(schedule, row));
  RETURN_IF_ERROR(ReadCatchUp(schedule, row));
  ASSIGN_OR_RETURN(const Json parameters, ParseJsonObject(schedule.parameters(), "parameters"));
  ASSIGN_OR_RETURN(const Json variables,
                   ParseJsonObject(schedule.job_variables(), "job_variables"));
  row.parameters = DumpJson(parameters);
  row.job_variables = DumpJson(variables);
  RETURN_IF_ERROR(Timetable::Parse(SpecOf(row, now), now).status());
  return row;
}

absl::StatusOr<Timetable> ReadTimetable(const Rows& rows, size_t row, int column, int starts_at,
                                        int ends_at, absl::Time accepted) {
  ScheduleRow read;
  read.kind = rows.Text(row, column);
  read.expression = rows.Text(row, column + 1);
  read.day_and = rows.Bool(row, column + 2);
  read.every_ms = rows.OptionalInt(row, column + 3);
  read.anchor = rows.OptionalTime(row, column + 4);
  read.time_zone = rows.Text(row, column + 5);
  read.starts_at = rows.OptionalTime(row, starts_at);
  read.ends_at = rows.OptionalTime(row, ends_at);
  return Timetable::Parse(SpecOf(read, accepted), accepted);
}

}  // namespace forebay::server
