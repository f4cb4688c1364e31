#include "cli/schedule_flags.h"

#include "common/base/status.h"
#include "tests/support/catch.h"

namespace forebay::cli {
namespace {

using Words = std::vector<std::string>;
using Given = std::vector<std::pair<std::string, std::string>>;

const Here kHere = {absl::FromUnixSeconds(1'800'000'000), absl::UTCTimeZone()};

Arguments Of(const Given& given) {
  Arguments arguments;
  for (const auto& [name, value] : given) arguments.Add(name, value);
  return arguments;
}

std::string Refused(const Given& given) {
  v1::Schedule schedule;
  const auto paths = SetScheduleFields(Of(given), kHere, schedule);
  REQUIRE_FALSE(paths.ok());
  CHECK(ReasonOf(paths.status()) == "USAGE");
  return std::string(MessageOf(paths.status()));
}

TEST_CASE("Each option of a schedule sets its field and names it for the mask") {
  v1::Schedule schedule;
  const auto paths = SetScheduleFields(Of({{"interval", "90s"},
                                           {"anchor", "2026-12-01T08:00:00Z"},
                                           {"timezone", "Europe/Berlin"},
                                           {"param", "a=1"},
                                           {"job-variable", "env.X=2"},
                                           {"start", "+2h"},
                                           {"end", "none"},
                                           {"catch-up", "last"},
                                           {"catch-up-window", "5m"}}),
                                       kHere, schedule);
  REQUIRE(paths.ok());
  CHECK(*paths == Words{"rule", "time_zone", "parameters", "job_variables", "start_time",
                        "end_time", "catch_up", "catch_up_window"});
  CHECK(schedule.interval().every().seconds() == 90);
  CHECK(schedule.interval().anchor().seconds() == 1'796'112'000);
  CHECK(schedule.time_zone() == "Europe/Berlin");
  CHECK(schedule.parameters() == R"({"a":1})");
  CHECK(schedule.start_time().seconds() == 1'800'007'200);
  CHECK_FALSE(schedule.has_end_time());
  CHECK(schedule.catch_up() == v1::CATCH_UP_LAST);
  CHECK(CatchUpText(schedule) == "last, window 5m");
  CHECK(RuleText(schedule) == "every 1m30s");
}

TEST_CASE("A rule of another kind takes the place of the one before") {
  v1::Schedule schedule;
  schedule.mutable_interval();
  REQUIRE(
      SetScheduleFields(Of({{"cron", "0 1 * * *"}, {"day-and", "true"}}), kHere, schedule).ok());
  CHECK(schedule.cron().expression() == "0 1 * * *");
  CHECK(schedule.cron().day_and());
  CHECK(RuleText(schedule) == "0 1 * * * (both days)");
  REQUIRE(SetScheduleFields(Of({{"rrule", "FREQ=DAILY\nEXDATE:20261224T000000Z"}}), kHere, schedule)
              .ok());
  CHECK(RuleText(schedule) == "FREQ=DAILY; EXDATE:20261224T000000Z");
  CHECK(CatchUpText(schedule) == "all");
}

TEST_CASE("What does not go together is refused") {
  CHECK(Refused({{"cron", "x"}, {"rrule", "y"}}).starts_with("--cron and --rrule exclude"));
  CHECK(Refused({{"anchor", "+1h"}}).starts_with("--anchor belongs to --interval or --rrule"));
  CHECK(Refused({{"cron", "@daily"}, {"anchor", "+1h"}}).starts_with("--anchor belongs"));
  CHECK(Refused({{"interval", "1h"}, {"day-and", "true"}}).starts_with("--day-and belongs"));
  CHECK(Refused({{"cron", " "}}) == "--cron must not be empty");
  CHECK(Refused({{"interval", "often"}}).find("`often`") != std::string::npos);
  CHECK(Refused({{"catch-up", "al"}}) ==
        "--catch-up must be one of all, last, skip, not `al`; did you mean `all`?");
  CHECK(Refused({{"start", "soon"}}).starts_with("--start must be a time like"));
}

TEST_CASE("Deploying gives each rule a slug of its own, the same every time") {
  const auto schedules = DeploySchedules(
      Of({{"cron", "0 1 * * *"}, {"cron", "0 2 * * *"}, {"timezone", "UTC"}, {"catch-up", "skip"}}),
      kHere);
  REQUIRE(schedules.ok());
  REQUIRE(schedules->size() == 2);
  CHECK((*schedules)[0].slug() == "cron");
  CHECK((*schedules)[1].slug() == "cron-2");
  CHECK((*schedules)[1].time_zone() == "UTC");
  CHECK((*schedules)[1].catch_up() == v1::CATCH_UP_SKIP);
  CHECK(DeploySchedules(Of({}), kHere)->empty());
  CHECK(ReasonOf(DeploySchedules(Of({{"timezone", "UTC"}}), kHere).status()) == "USAGE");
  CHECK(ReasonOf(DeploySchedules(Of({{"cron", "a"}, {"interval", "1h"}}), kHere).status()) ==
        "USAGE");
}

}  // namespace
}  // namespace forebay::cli
