#include "server/store/schedules.h"

#include <algorithm>

#include "common/base/status.h"
#include "common/base/text.h"
#include "server/db/queries.h"
#include "server/store/schedule_row.h"

namespace forebay::server {
namespace {

absl::StatusOr<absl::Time> DatabaseNow(Session& session) {
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kDatabaseNow, {}));
  return rows.Time(0, 0);
}

void SetRule(const Rows& rows, size_t row, v1::Schedule& schedule) {
  const std::string expression(rows.Text(row, 6));
  const std::string_view kind = rows.Text(row, 5);
  if (kind == "cron") {
    schedule.mutable_cron()->set_expression(expression);
    schedule.mutable_cron()->set_day_and(rows.Bool(row, 7));
  } else if (kind == "interval") {
    ToProto(absl::Milliseconds(rows.Int(row, 8)), *schedule.mutable_interval()->mutable_every());
    ToProto(rows.Time(row, 9), *schedule.mutable_interval()->mutable_anchor());
  } else {
    schedule.mutable_recurrence()->set_text(expression);
    ToProto(rows.Time(row, 9), *schedule.mutable_recurrence()->mutable_anchor());
  }
}

v1::CatchUp CatchUpOf(std::string_view word) {
  if (word == "LAST") return v1::CATCH_UP_LAST;
  return word == "SKIP" ? v1::CATCH_UP_SKIP : v1::CATCH_UP_ALL;
}

void AddFires(const Rows& rows, size_t row, int fires, v1::Schedule& schedule) {
  const absl::Time now = rows.Time(row, 22);
  const auto timetable = ReadTimetable(rows, row, 5, 14, 15, rows.Time(row, 20));
  if (!timetable.ok() || schedule.paused()) return;
  const auto next =
      timetable->FiresBetween(now, absl::InfiniteFuture(), static_cast<size_t>(fires));
  for (const absl::Time fire : next) ToProto(fire, *schedule.add_next_fires());
}

v1::Schedule ToSchedule(const Rows& rows, size_t row, int fires) {
  const auto text = [&](int column) { return std::string(rows.Text(row, column)); };
  v1::Schedule schedule;
  schedule.set_uid(text(0));
  schedule.set_deployment("teams/" + text(1) + "/flows/" + text(2) + "/deployments/" + text(3));
  schedule.set_slug(text(4));
  schedule.set_name(schedule.deployment() + "/schedules/" + text(4));
  SetRule(rows, row, schedule);
  schedule.set_time_zone(text(10));
  schedule.set_parameters(text(11));
  schedule.set_job_variables(text(12));
  schedule.set_paused(rows.Bool(row, 13));
  SetTime(rows.OptionalTime(row, 14), [&] { return schedule.mutable_start_time(); });
  SetTime(rows.OptionalTime(row, 15), [&] { return schedule.mutable_end_time(); });
  schedule.set_catch_up(CatchUpOf(rows.Text(row, 16)));
  if (const auto ms = rows.OptionalInt(row, 17))
    ToProto(absl::Milliseconds(*ms), *schedule.mutable_catch_up_window());
  schedule.set_problem(text(18));
  ToProto(rows.Time(row, 19), *schedule.mutable_create_time());
  ToProto(rows.Time(row, 20), *schedule.mutable_update_time());
  schedule.set_creator(text(21));
  AddFires(rows, row, fires, schedule);
  return schedule;
}

absl::StatusOr<std::vector<std::string>> Slugs(Session& session, const Uuid& deployment) {
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kScheduleSlugs, Args().Id(deployment)));
  std::vector<std::string> slugs;
  for (size_t row = 0; row < rows.size(); ++row) slugs.emplace_back(rows.Text(row, 0));
  return slugs;
}

absl::Status ScheduleNotFound(Session& session, const Uuid& deployment, const std::string& slug) {
  ASSIGN_OR_RETURN(const std::vector<std::string> slugs, Slugs(session, deployment));
  const std::string nearest = NearestName(slug, slugs);
  return Error(absl::StatusCode::kNotFound, "SCHEDULE_NOT_FOUND")
      .Field("schedule", slug)
      .With("nearest", nearest)
      .With("allowed", Join(slugs, ", "))
      .Next("forebay schedule ls")
      .Says("the deployment has no schedule '{}'{}", slug,
            nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest));
}

// "cron", "cron-2", …: the first that is free.
std::string FreeSlug(const std::string& base, const std::vector<std::string>& taken) {
  for (size_t n = 1;; ++n) {
    std::string slug = n == 1 ? base : fmt::format("{}-{}", base, n);
    if (std::find(taken.begin(), taken.end(), slug) == taken.end()) return slug;
  }
}

void AddRow(const ScheduleRow& row, Args& args) {
  args.Text(row.kind).Text(row.expression).Bool(row.day_and).OptionalInt(row.every_ms);
  const auto time = [&](const std::optional<absl::Time>& value) {
    value.has_value() ? args.Time(*value) : args.Null();
  };
  time(row.anchor);
  args.Text(row.time_zone).Text(row.parameters).Text(row.job_variables);
  time(row.starts_at);
  time(row.ends_at);
  args.Text(row.catch_up).OptionalInt(row.catch_up_window_ms);
}

absl::Status Replace(Session& session, const Uuid& id, const v1::Schedule& schedule) {
  ASSIGN_OR_RETURN(const absl::Time now, DatabaseNow(session));
  ASSIGN_OR_RETURN(const ScheduleRow row, ToRow(schedule, now));
  Args args;
  args.Id(id);
  AddRow(row, args);
  return session.Run(queries::kReplaceSchedule, args).status();
}

absl::Status TakeBackRuns(Session& session, const std::vector<Uuid>& schedules) {
  if (schedules.empty()) return absl::OkStatus();
  return session.Run(queries::kTakeBackRuns, Args().Array(IdArray(schedules))).status();
}

absl::StatusOr<Uuid> Lock(Session& session, const Uuid& deployment, const std::string& slug) {
  ASSIGN_OR_RETURN(Rows rows,
                   session.Run(queries::kLockSchedule, Args().Id(deployment).Text(slug)));
  if (rows.empty()) return ScheduleNotFound(session, deployment, slug);
  return rows.Id(0, 0);
}

}  // namespace

absl::StatusOr<std::vector<v1::Schedule>> ListSchedules(Session& session, const Uuid& team,
                                                        const ScheduleFilter& filter, int limit,
                                                        int fires) {
  Args args;
  args.Id(team);
  filter.deployment.has_value() ? args.Id(*filter.deployment) : args.Null();
  for (const auto& text : {filter.slug, filter.pool})
    text.has_value() ? args.Text(*text) : args.Null();
  filter.after.has_value() ? args.Text(filter.after->deployment.flow)
                                 .Text(filter.after->deployment.deployment)
                                 .Text(filter.after->slug)
                           : args.Null().Null().Null();
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kListSchedules, args.Int(limit)));
  std::vector<v1::Schedule> schedules;
  for (size_t row = 0; row < rows.size(); ++row) schedules.push_back(ToSchedule(rows, row, fires));
  return schedules;
}

absl::StatusOr<v1::Schedule> ReadSchedule(Session& session, const Uuid& team,
                                          const Uuid& deployment, const std::string& slug) {
  constexpr int kFires = 10;
  ASSIGN_OR_RETURN(auto found, ListSchedules(session, team, {deployment, slug, {}, {}}, 1, kFires));
  if (found.empty()) return ScheduleNotFound(session, deployment, slug);
  return found[0];
}

absl::StatusOr<std::string> InsertSchedule(Session& session, const Caller& caller, UuidSource& ids,
                                           const Uuid& deployment, const v1::Schedule& schedule) {
  ASSIGN_OR_RETURN(const absl::Time now, DatabaseNow(session));
  ASSIGN_OR_RETURN(const ScheduleRow row, ToRow(schedule, now));
  ASSIGN_OR_RETURN(const std::vector<std::string> taken, Slugs(session, deployment));
  const std::string slug = schedule.slug().empty() ? FreeSlug(row.kind, taken) : schedule.slug();
  if (!IsResourceName(slug)) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_NAME")
        .Field("slug", slug)
        .Says("slug '{}' is not a name: 1 to 63 of a-z, 0-9, - and _", slug);
  }
  if (std::find(taken.begin(), taken.end(), slug) != taken.end()) {
    return Error(absl::StatusCode::kAlreadyExists, "SCHEDULE_EXISTS")
        .Field("slug", slug)
        .Next(fmt::format("forebay schedule update <flow>/<deployment>/{}", slug))
        .Says("the deployment has a schedule '{}' already", slug);
  }
  Args args;
  args.Id(ids.Next()).Id(deployment).Text(slug);
  AddRow(row, args);
  RETURN_IF_ERROR(session
                      .Run(queries::kInsertSchedule,
                           args.Id(caller.team).Id(caller.user).Bool(schedule.paused()))
                      .status());
  return slug;
}

absl::Status UpdateSchedule(Session& session, const Uuid& team, const Uuid& deployment,
                            const std::string& slug, const v1::Schedule& schedule,
                            const UpdateMask& mask) {
  ASSIGN_OR_RETURN(const Uuid id, Lock(session, deployment, slug));
  ASSIGN_OR_RETURN(v1::Schedule now, ReadSchedule(session, team, deployment, slug));
  mask.Overlay(schedule, now);
  // A window goes with the rule that it was said for.
  if (mask.Names("catch_up") && !mask.Names("catch_up_window")) now.clear_catch_up_window();
  RETURN_IF_ERROR(Replace(session, id, now));
  return TakeBackRuns(session, {id});
}

absl::Status SetSchedulePaused(Session& session, const Uuid& deployment, const std::string& slug,
                               bool paused) {
  ASSIGN_OR_RETURN(const Uuid id, Lock(session, deployment, slug));
  RETURN_IF_ERROR(session.Run(queries::kSetSchedulePaused, Args().Id(id).Bool(paused)).status());
  return TakeBackRuns(session, {id});
}

absl::Status DeleteSchedule(Session& session, const Uuid& deployment, const std::string& slug) {
  ASSIGN_OR_RETURN(const Uuid id, Lock(session, deployment, slug));
  RETURN_IF_ERROR(TakeBackRuns(session, {id}));
  return session.Run(queries::kDeleteSchedule, Args().Id(id)).status();
}

absl::Status ApplySchedules(Session& session, const Caller& caller, UuidSource& ids,
                            const Uuid& deployment, const std::vector<v1::Schedule>& schedules,
                            bool replace) {
  ASSIGN_OR_RETURN(Rows rows,
                   session.Run(queries::kLockSchedulesOfDeployment, Args().Id(deployment)));
  std::vector<Uuid> known;
  std::vector<std::string> kept;
  for (const v1::Schedule& schedule : schedules) kept.push_back(schedule.slug());
  for (size_t row = 0; row < rows.size(); ++row) {
    const std::string slug(rows.Text(row, 1));
    known.push_back(rows.Id(row, 0));
    const auto given = std::find(kept.begin(), kept.end(), slug);
    if (given != kept.end()) {
      const auto& schedule = schedules[static_cast<size_t>(given - kept.begin())];
      RETURN_IF_ERROR(Replace(session, known.back(), schedule));
      given->clear();
    } else if (replace) {
      RETURN_IF_ERROR(session.Run(queries::kDeleteSchedule, Args().Id(known.back())).status());
    }
  }
  RETURN_IF_ERROR(TakeBackRuns(session, known));
  for (size_t i = 0; i < schedules.size(); ++i) {
    if (kept[i].empty() && !schedules[i].slug().empty()) continue;
    RETURN_IF_ERROR(InsertSchedule(session, caller, ids, deployment, schedules[i]).status());
  }
  return absl::OkStatus();
}

absl::Status DeleteSchedules(Session& session, const Uuid& deployment) {
  ASSIGN_OR_RETURN(Rows rows,
                   session.Run(queries::kLockSchedulesOfDeployment, Args().Id(deployment)));
  std::vector<Uuid> all;
  for (size_t row = 0; row < rows.size(); ++row) all.push_back(rows.Id(row, 0));
  RETURN_IF_ERROR(TakeBackRuns(session, all));
  for (const Uuid& id : all)
    RETURN_IF_ERROR(session.Run(queries::kDeleteSchedule, Args().Id(id)).status());
  return absl::OkStatus();
}

}  // namespace forebay::server
