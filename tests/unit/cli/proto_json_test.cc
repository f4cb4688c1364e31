#include "cli/output/proto_json.h"

#include <nlohmann/json.hpp>

#include "forebay/v1/deployment.pb.h"
#include "forebay/v1/flow_run.pb.h"
#include "forebay/v1/work_pool.pb.h"
#include "tests/support/catch.h"

namespace forebay::cli {
namespace {

TEST_CASE("Messages become JSON that people can use: numbers, short enums, times, embedded JSON") {
  v1::FlowRun run;
  run.set_name("flowRuns/1");
  run.set_parameters(R"({"z":1,"a":9007199254740993})");
  run.set_version(5'000'000'000);
  run.mutable_state()->set_type(v1::STATE_TYPE_COMPLETED);
  run.mutable_state()->mutable_time()->set_seconds(1'800'000'000);
  run.mutable_state()->mutable_time()->set_nanos(500'000'000);
  run.add_tags("x");
  const Json value = ToJson(run);
  CHECK(value["name"] == "flowRuns/1");
  CHECK(DumpJson(value["parameters"]) == R"({"z":1,"a":9007199254740993})");
  CHECK(value["version"] == 5'000'000'000);
  CHECK(value["state"]["type"] == "COMPLETED");
  CHECK(value["state"]["time"] == "2027-01-15T08:00:00.5Z");
  CHECK(value["tags"] == Json::array({"x"}));
  CHECK(value["job_variables"] == "");
}

TEST_CASE(
    "Absent messages and optional fields are left out, present ones are shown even when zero") {
  v1::WorkPool pool;
  CHECK_FALSE(ToJson(pool).contains("concurrency_limit"));
  CHECK_FALSE(ToJson(pool).contains("timeouts"));
  pool.set_concurrency_limit(0);
  pool.mutable_timeouts()->mutable_lease_ttl()->set_seconds(15);
  CHECK(ToJson(pool)["concurrency_limit"] == 0);
  CHECK(ToJson(pool)["timeouts"]["lease_ttl"] == "15s");
}

TEST_CASE("Repeated enums are shown like single ones") {
  v1::RetryPolicy policy;
  policy.add_on(v1::RETRY_CAUSE_TIMED_OUT);
  policy.add_delays()->set_seconds(90);
  CHECK(ToJson(policy)["on"] == Json::array({"TIMED_OUT"}));
  CHECK(ToJson(policy)["delays"] == Json::array({"1m30s"}));
}

}  // namespace
}  // namespace forebay::cli
