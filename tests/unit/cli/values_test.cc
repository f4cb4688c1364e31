#include "cli/values.h"

#include <nlohmann/json.hpp>

#include "cli/names.h"
#include "common/base/status.h"
#include "tests/support/catch.h"

namespace forebay::cli {
namespace {

TEST_CASE("The value of an assignment is JSON if it can be, else text") {
  Json object = {{"kept", 1}, {"top", 1}};
  REQUIRE(LayAssignments({"path=.", "top=3", "on=true", "none=null", "text=\"5\"", "list=[1, 2]",
                          "equals=a=b", "empty=", "env.TOP=5", "top=4"},
                         "--param", object)
              .ok());
  CHECK(
      DumpJson(object) ==
      R"({"kept":1,"top":4,"path":".","on":true,"none":null,"text":"5","list":[1,2],"equals":"a=b","empty":"","env.TOP":5})");
}

TEST_CASE("An assignment without a key or an equals sign is refused with the option's name") {
  Json object = Json::object();
  for (const char* text : {"novalue", "=x", ""}) {
    const auto status = LayAssignments({text}, "--param", object);
    CHECK(ReasonOf(status) == "USAGE");
    CHECK(MessageOf(status).starts_with("--param must look like key=value"));
  }
}

TEST_CASE("An object option is JSON or a file") {
  CHECK(ParseObjectOption("", "--params")->empty());
  CHECK(DumpJson(*ParseObjectOption(R"({"a":1})", "--params")) == R"({"a":1})");
  CHECK(ReasonOf(ParseObjectOption("{", "--params").status()) == "INVALID_JSON");
  CHECK(ReasonOf(ParseObjectOption("[]", "--params").status()) == "INVALID_JSON");
  CHECK(ReasonOf(ParseObjectOption("@/nonexistent", "--params").status()) == "FILE_NOT_FOUND");
}

TEST_CASE("Durations have a unit or mean seconds") {
  CHECK(*ParseDurationOption("90", "--ttl") == absl::Seconds(90));
  CHECK(*ParseDurationOption("1h30m", "--ttl") == absl::Minutes(90));
  CHECK(*ParseDurationOption("250ms", "--ttl") == absl::Milliseconds(250));
  CHECK(*ParseDurationOption("7d", "--ttl") == absl::Hours(168));
  CHECK(*ParseDurationOption("1d12h", "--ttl") == absl::Hours(36));
  for (const char* text :
       {"soon", "-1", "-5s", "inf", "", "5 s", "d", "1d-1h", "-1d", "1dd", "9999999999999999d"}) {
    INFO(text);
    CHECK(ReasonOf(ParseDurationOption(text, "--ttl").status()) == "USAGE");
  }
}

TEST_CASE("Times are RFC 3339, local, or from now") {
  absl::TimeZone berlin;
  REQUIRE(absl::LoadTimeZone("Europe/Berlin", &berlin));
  const Here here = {absl::FromUnixSeconds(1'800'000'000), berlin};
  const auto seconds = [&](const char* text) {
    const auto time = ParseTimeOption(text, "--start", here);
    INFO(text);
    REQUIRE(time.ok());
    return absl::ToUnixSeconds(*time);
  };
  CHECK(seconds("2026-12-01T08:00:00Z") == 1'796'112'000);
  CHECK(seconds("2026-12-01T08:00:00+01:00") == 1'796'108'400);
  CHECK(seconds("2026-12-01 08:00") == 1'796'108'400);
  CHECK(seconds("2026-12-01T08:00:30") == 1'796'108'430);
  CHECK(seconds("2026-12-01") == 1'796'079'600);
  CHECK(seconds("+2h") == 1'800'007'200);
  for (const char* text : {"", "soon", "2026", "2026-13-01 08:00", "+", "+-1h", "infinite-future",
                           "2026-12-01 8 Uhr"}) {
    INFO(text);
    CHECK(ReasonOf(ParseTimeOption(text, "--start", here).status()) == "USAGE");
  }
  CHECK(MessageOf(ParseTimeOption("2027-03-28 02:30", "--start", here).status()) ==
        "--start: `2027-03-28 02:30` does not exist in Europe/Berlin: the clocks are set forward "
        "over it");
}

TEST_CASE("Limits are numbers or none") {
  CHECK(*ParseLimitOption("0", "--limit") == 0);
  CHECK_FALSE(ParseLimitOption("none", "--limit")->has_value());
  for (const char* text : {"-1", "x", "", "2147483648"})
    CHECK(ReasonOf(ParseLimitOption(text, "--limit").status()) == "USAGE");
}

TEST_CASE("Names are taken with and without their collection") {
  CHECK(PoolResource("p") == "workPools/p");
  CHECK(PoolResource("workPools/p") == "workPools/p");
  CHECK(QueueResource("p", "q") == "workPools/p/queues/q");
  CHECK(LastSegment("flowRuns/1") == "1");
  CHECK(LastSegment("1") == "1");
  CHECK(DeploymentShortName("teams/default/flows/repo-stats/deployments/nightly") ==
        "repo-stats/nightly");
  CHECK(DeploymentShortName("repo-stats/nightly") == "repo-stats/nightly");
  CHECK(ScheduleShortName("teams/default/flows/f/deployments/d/schedules/cron") == "f/d/cron");
  CHECK(ScheduleShortName("f/d/cron") == "f/d/cron");
  CHECK(DeploymentOfSchedule("f/d/cron") == "f/d");
}

}  // namespace
}  // namespace forebay::cli
