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
  for (const char* text : {"soon", "-1", "-5s", "inf", "", "5 s"}) {
    INFO(text);
    CHECK(ReasonOf(ParseDurationOption(text, "--ttl").status()) == "USAGE");
  }
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
}

}  // namespace
}  // namespace forebay::cli
