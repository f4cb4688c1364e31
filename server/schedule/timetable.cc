#include "server/schedule/timetable.h"

#include <algorithm>

#include "common/base/status.h"
#include "server/schedule/calendar.h"
#include "server/schedule/cron_expression.h"
#include "server/schedule/interval.h"
#include "server/schedule/local_time.h"
#include "server/schedule/recurrence.h"

namespace forebay::server {
namespace {

// A parsed rule.
struct CronPlan {
  CronExpression expression;
  absl::TimeZone zone;
};
using RulePlan = std::variant<CronPlan, Interval, Recurrence>;

template <typename... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <typename... F>
Overloaded(F...) -> Overloaded<F...>;

std::string Shown(absl::Time time) {
  return std::string(absl::FormatTime(absl::RFC3339_sec, time, absl::UTCTimeZone()));
}

// Instants that have a year of four digits: absl's infinite times have none.
absl::Time Bounded(absl::Time time) {
  static const absl::Time least = absl::FromCivil(absl::CivilSecond(1, 1, 2), absl::UTCTimeZone());
  static const absl::Time most =
      absl::FromCivil(absl::CivilSecond(kLastScheduleYear + 1, 1, 2), absl::UTCTimeZone());
  return std::clamp(time, least, most);
}

absl::Status CheckAnchor(std::string_view field, absl::Time anchor, absl::Time now) {
  if (absl::AbsDuration(anchor - now) <= kMostAnchorDistance) return absl::OkStatus();
  const std::string shown = Shown(anchor);
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_ANCHOR")
      .Field(field, shown)
      .With("allowed", "within 36525 days of now")
      .Says("{} {} is more than 36525 days from now", field, shown);
}

absl::StatusOr<RulePlan> ParseRule(const TimetableSpec& spec, const absl::TimeZone& zone,
                                   absl::Time now) {
  using Result = absl::StatusOr<RulePlan>;
  return std::visit(
      Overloaded{
          [&](const CronRule& rule) -> Result {
            ASSIGN_OR_RETURN(const CronExpression cron, ParseCron(rule.expression, rule.day_or));
            return CronPlan{cron, zone};
          },
          [&](const IntervalRule& rule) -> Result {
            RETURN_IF_ERROR(CheckAnchor("anchor", rule.anchor, now));
            ASSIGN_OR_RETURN(Interval interval, ParseInterval(rule.every, rule.anchor, zone));
            return interval;
          },
          [&](const RecurrenceRule& rule) -> Result {
            RETURN_IF_ERROR(CheckAnchor("anchor", rule.anchor, now));
            ASSIGN_OR_RETURN(Recurrence recurrence, ParseRecurrence(rule.text, rule.anchor, zone));
            RETURN_IF_ERROR(CheckAnchor("DTSTART", StartOf(recurrence), now));
            return recurrence;
          },
      },
      spec.rule);
}

}  // namespace

struct Timetable::Plan {
  RulePlan rule;
  std::optional<absl::Time> start;
  absl::Time end;
};

absl::StatusOr<Timetable> Timetable::Parse(const TimetableSpec& spec, absl::Time now) {
  ASSIGN_OR_RETURN(const absl::TimeZone zone, ParseTimeZone(spec.time_zone));
  ASSIGN_OR_RETURN(RulePlan rule, ParseRule(spec, zone, now));
  const absl::Time last = absl::FromCivil(absl::CivilSecond(kLastScheduleYear, 12, 31, 23, 59, 59),
                                          absl::UTCTimeZone());
  const Timetable timetable(std::make_shared<Plan>(
      Plan{std::move(rule), spec.start, std::min(spec.end.value_or(last), last)}));
  if (!timetable.NextAfter(now)) {
    return Error(absl::StatusCode::kInvalidArgument, "SCHEDULE_NEVER_FIRES")
        .Field("now", Shown(now))
        .Says("the schedule has no fire after {}", Shown(now));
  }
  return timetable;
}

std::optional<absl::Time> Timetable::NextAfter(absl::Time after) const {
  absl::Time from = Bounded(after);
  if (plan_->start) from = std::max(from, Bounded(*plan_->start) - absl::Nanoseconds(1));
  const std::optional<absl::Time> fire = std::visit(
      Overloaded{
          [&](const CronPlan& cron) { return NextCronFire(cron.expression, cron.zone, from); },
          [&](const Interval& interval) { return std::optional(NextIntervalFire(interval, from)); },
          [&](const Recurrence& recurrence) { return NextRecurrenceFire(recurrence, from); },
      },
      plan_->rule);
  return fire && *fire <= plan_->end ? fire : std::nullopt;
}

std::vector<absl::Time> Timetable::FiresBetween(absl::Time after, absl::Time until,
                                                size_t most) const {
  std::vector<absl::Time> fires;
  for (auto fire = NextAfter(after); fire && *fire <= until && fires.size() < most;
       fire = NextAfter(*fire)) {
    fires.push_back(*fire);
  }
  return fires;
}

}  // namespace forebay::server
