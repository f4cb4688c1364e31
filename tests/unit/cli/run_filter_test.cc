#include "cli/run_filter.h"

#include "common/base/status.h"
#include "tests/support/catch.h"

namespace forebay::cli {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

absl::StatusOr<v1::ListFlowRunsRequest> Request(const std::string& filter) {
  const auto conditions = SplitRunFilter(filter);
  if (!conditions.ok()) return conditions.status();
  return RunRequestOf(*conditions, kNow);
}

v1::ListFlowRunsRequest Parsed(const std::string& filter) {
  const auto request = Request(filter);
  INFO(filter << ": " << MessageOf(request.status()));
  REQUIRE(request.ok());
  return *request;
}

std::string Refused(const std::string& filter) {
  const auto request = Request(filter);
  INFO(filter);
  REQUIRE_FALSE(request.ok());
  CHECK(ReasonOf(request.status()) == "USAGE");
  CHECK(DetailOf(request.status())->metadata.contains("next"));
  return std::string(MessageOf(request.status()));
}

TEST_CASE("Every key becomes its field") {
  const auto request =
      Parsed("state=failed, state=crashed,pool=p,queue=q,deployment=f/d,flow=f,tag=a,tag=b=c");
  REQUIRE(request.states_size() == 2);
  CHECK(request.states(0) == v1::STATE_TYPE_FAILED);
  CHECK(request.states(1) == v1::STATE_TYPE_CRASHED);
  CHECK(request.work_pool() == "workPools/p");
  CHECK(request.work_queue() == "q");
  CHECK(request.deployment() == "f/d");
  CHECK(request.flow() == "f");
  REQUIRE(request.tags_size() == 2);
  CHECK(request.tags(1) == "b=c");
  CHECK_FALSE(request.late());
}

TEST_CASE("Ages are bounds of the time of creation") {
  const auto request = Parsed("older=10m,newer=2h");
  CHECK(request.create_time_before().seconds() == 1'800'000'000 - 600);
  CHECK(request.create_time_from().seconds() == 1'800'000'000 - 7200);
}

TEST_CASE("Late is no state of its own") {
  CHECK(Parsed("state=late").late());
  CHECK(Parsed("state=late").states().empty());
  CHECK(Refused("state=late,state=failed") ==
        "--filter state: `late` stands alone; ask for the other states with a second command");
  CHECK(Refused("state=failed,state=late").find("stands alone") != std::string::npos);
}

TEST_CASE("Nothing is no condition") {
  CHECK(SplitRunFilter("")->empty());
  CHECK(SplitRunFilter("  ")->empty());
}

TEST_CASE("A mistake is named with the nearest") {
  CHECK(Refused("stat=late") ==
        "--filter has no key `stat`: it has state, pool, queue, deployment, flow, tag, older, "
        "newer; did you mean `state`?");
  CHECK(Refused("state=runing") ==
        "--filter state must be one of scheduled, pending, running, paused, cancelling, completed, "
        "failed, cancelled, crashed, late, not `runing`; did you mean `running`?");
  CHECK(Refused("late") ==
        "--filter must look like state=late,pool=my-pool; `late` is no key=value");
  CHECK(Refused("pool=p,").find("is no key=value") != std::string::npos);
  CHECK(Refused("older=soon") ==
        "--filter older must be a duration like 90s, 15m or 2h, not `soon`");
  CHECK(Refused("deployment=d") ==
        "--filter deployment must be a deployment like flow/name, not `d`");
  CHECK(Refused("pool=") == "--filter pool must be a value, not ``");
  CHECK(Refused("pool=a,pool=b").find("second") != std::string::npos);
  CHECK(Refused("queue=q").find("needs its pool") != std::string::npos);
}

TEST_CASE("Options and the filter are one list of conditions") {
  Arguments arguments;
  arguments.Add("filter", "state=failed");
  arguments.Add("pool", "p");
  arguments.Add("older", "1h");
  const auto conditions = RunConditionsOf(arguments);
  REQUIRE(conditions.ok());
  REQUIRE(conditions->size() == 3);
  CHECK((*conditions)[0].where == "--filter state");
  CHECK((*conditions)[1].where == "--pool");
  const auto request = RunRequestOf(*conditions, kNow);
  REQUIRE(request.ok());
  CHECK(request->work_pool() == "workPools/p");
  arguments.Add("filter", "pool=other");
  CHECK(MessageOf(RunRequestOf(*RunConditionsOf(arguments), kNow).status()).starts_with("--pool"));
}

}  // namespace
}  // namespace forebay::cli
