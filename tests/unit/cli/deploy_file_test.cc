#include "cli/commands/deploy_file.h"

#include "common/base/status.h"
#include "tests/golden/golden.h"
#include "tests/support/catch.h"

namespace forebay::cli {
namespace {

absl::Status Refused(std::string_view text) {
  const auto deployments = ParseDeployFile(text, "forebay.yaml");
  INFO(text);
  REQUIRE_FALSE(deployments.ok());
  return deployments.status();
}

TEST_CASE("A file holds several deployments with all their fields") {
  const auto deployments = ParseDeployFile(R"(deployments:
  - name: nightly
    flow: repo_stats
    pool: my-pool
    queue: high
    command: [python3, x.py, 5, --flag]
    parameters: {path: ., big: 9007199254740993}
    job_variables:
      env: {TOP: 5}
    description: d
    version: 1.2
    tags: [a, b]
    crash_retries: 2
  - {name: b, flow: f, pool: p, command: [x]}
)",
                                           "forebay.yaml");
  INFO(MessageOf(deployments.status()));
  REQUIRE(deployments.ok());
  REQUIRE(deployments->size() == 2);
  const v1::Deployment& first = deployments->front();
  CHECK(first.name() == "repo_stats/nightly");
  CHECK(first.work_pool() == "workPools/my-pool");
  CHECK(first.work_queue() == "high");
  CHECK(first.command(2) == "5");
  CHECK(first.command_size() == 4);
  CHECK(first.parameters() == R"({"path":".","big":9007199254740993})");
  CHECK(first.job_variables() == R"({"env":{"TOP":5}})");
  CHECK(first.version() == "1.2");
  CHECK(first.tags_size() == 2);
  CHECK(first.crash_retries() == 2);
  CHECK(deployments->back().name() == "f/b");
}

TEST_CASE("The example that is shipped is one") {
  const auto text = ReadGolden(std::filesystem::path(FOREBAY_SOURCE_DIR) / "examples/forebay.yaml");
  const auto deployments = ParseDeployFile(text, "forebay.yaml");
  REQUIRE(deployments.ok());
  CHECK(deployments->size() == 2);
}

TEST_CASE("An unknown key is named with its nearest and its entry") {
  const auto entry = Refused("deployments:\n  - {name: a, flow: f, pool: p, comand: [x]}\n");
  CHECK(MessageOf(entry) ==
        "forebay.yaml: deployments[0]: unknown key `comand`; did you mean `command`?");
  CHECK(MessageOf(Refused("deployment: []\n")) ==
        "forebay.yaml: unknown key `deployment`; did you mean `deployments`?");
}

TEST_CASE("A missing or ill-typed key is named with its entry") {
  CHECK(MessageOf(Refused("deployments:\n  - {name: a, flow: f, command: [x]}\n")) ==
        "forebay.yaml: deployments[0]: `pool` is missing");
  CHECK(MessageOf(Refused("deployments:\n  - {name: a, flow: f, pool: p, command: echo hi}\n")) ==
        "forebay.yaml: deployments[0]: `command` must be a list of words, not \"echo hi\"");
  for (const char* pair :
       {"name: 5", "parameters: [1]", "crash_retries: -1", "crash_retries: many", "tags: [[x]]"}) {
    INFO(pair);
    const auto text =
        fmt::format("deployments:\n  - {{flow: f, pool: p, command: [x], {}}}\n", pair);
    CHECK(ReasonOf(Refused(text)) == "INVALID_CONFIG_VALUE");
  }
  CHECK(ReasonOf(Refused("deployments: []\n")) == "INVALID_CONFIG_VALUE");
  CHECK(ReasonOf(Refused("")) == "INVALID_CONFIG_VALUE");
  CHECK(ReasonOf(Refused("a: [")) == "INVALID_YAML");
}

}  // namespace
}  // namespace forebay::cli
