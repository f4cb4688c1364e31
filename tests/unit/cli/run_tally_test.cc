#include "cli/run_tally.h"

#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "tests/support/catch.h"

namespace forebay::cli {
namespace {

v1::FlowRun Run(int number, const std::string& deployment, v1::StateType type) {
  v1::FlowRun run;
  run.set_name(fmt::format("flowRuns/0190e0a0-0000-7000-8000-{:012}", number));
  run.set_deployment(deployment);
  run.mutable_state()->set_type(type);
  return run;
}

TEST_CASE("Runs are counted by deployment and state, most first; the first ten are kept") {
  RunTally tally;
  for (int i = 0; i < 12; ++i)
    REQUIRE(tally.Add(Run(i, "teams/t/flows/f/deployments/b", v1::STATE_TYPE_FAILED)).ok());
  REQUIRE(tally.Add(Run(12, "teams/t/flows/f/deployments/a", v1::STATE_TYPE_FAILED)).ok());
  auto late = Run(13, "teams/t/flows/f/deployments/a", v1::STATE_TYPE_SCHEDULED);
  late.mutable_state()->set_name("Late");
  REQUIRE(tally.Add(late).ok());
  CHECK(tally.ids().size() == 14);
  CHECK(tally.samples().size() == RunTally::kSamples);
  const Listing groups = tally.Groups();
  REQUIRE(groups.rows.size() == 3);
  CHECK(groups.rows[0].cells == std::vector<std::string>{"12", "f/b", "FAILED"});
  CHECK(groups.rows[1].cells == std::vector<std::string>{"1", "f/a", "FAILED"});
  CHECK(groups.rows[2].cells == std::vector<std::string>{"1", "f/a", "LATE"});
  CHECK(DumpJson(groups.rows[0].value) == R"({"deployment":"f/b","state":"FAILED","runs":12})");
}

TEST_CASE("A name without an id is no run") {
  v1::FlowRun run;
  run.set_name("flowRuns/x");
  CHECK_FALSE(RunTally().Add(run).ok());
}

TEST_CASE("The summary counts what was refused by its reason") {
  ChangeTally tally;
  CHECK(tally.Text("cancelled") == "0 cancelled");
  for (int i = 0; i < 12; ++i) tally.Change();
  CHECK(tally.Text("cancelled") == "12 cancelled");
  for (int i = 0; i < 3; ++i) tally.Refuse("RUN_FINISHED");
  CHECK(tally.Text("cancelled") == "12 cancelled, 3 refused (RUN_FINISHED 3)");
  tally.Refuse("FLOW_RUN_NOT_FOUND");
  CHECK(tally.Text("cancelled") ==
        "12 cancelled, 4 refused (FLOW_RUN_NOT_FOUND 1, RUN_FINISHED 3)");
  CHECK(DumpJson(tally.Value("cancelled")) ==
        R"({"cancelled":12,"refused":{"FLOW_RUN_NOT_FOUND":1,"RUN_FINISHED":3}})");
  CHECK(RunCount(1) == "1 flow run");
  CHECK(RunCount(0) == "0 flow runs");
}

}  // namespace
}  // namespace forebay::cli
