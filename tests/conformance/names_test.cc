#include "tests/support/catch.h"
#include "worker/launch/launcher.h"

namespace forebay::worker {
namespace {

constexpr char kRun[] = "018f9f3e-7c5a-7b3c-9d2e-1f2a3b4c5d6e";

TEST_CASE("the name of infrastructure leads back to run and attempt") {
  const std::string name = InfrastructureName(kRun, 12);
  CHECK(name == std::string("forebay-") + kRun + "-12");
  const auto parsed = ParseInfrastructureName(name);
  REQUIRE(parsed.has_value());
  CHECK(parsed->run_id == kRun);
  CHECK(parsed->attempt == 12);
  CHECK(InfrastructureName(kRun, 2147483647).size() <= 63);
}

TEST_CASE("names that are not ours are not parsed") {
  const std::string run = kRun;
  for (const std::string& name :
       {std::string(), std::string("forebay-"), "forebay-" + run, "forebay-" + run + "-",
        "forebay-" + run + "-x", "forebay-" + run + "--1", "forebay-" + run + "-01",
        "forebay-" + run + "-99999999999", "other-" + run + "-1", "forebay-" + run + "-1/.."}) {
    CHECK_FALSE(ParseInfrastructureName(name).has_value());
  }
}

TEST_CASE("an unknown pool type is refused with the known ones") {
  auto made = MakeLauncher("procces", {});
  CHECK(made.status().code() == absl::StatusCode::kInvalidArgument);
  CHECK(WorkerClassName("process") == "ProcessWorker");
  CHECK(WorkerClassName("cloud-run") == "CloudRunWorker");
}

}  // namespace
}  // namespace forebay::worker
