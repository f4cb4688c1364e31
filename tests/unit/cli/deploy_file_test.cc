#include "cli/deploy/deploy_file.h"

#include "common/base/status.h"
#include "tests/golden/golden.h"
#include "tests/support/catch.h"

namespace forebay::cli {
namespace {

const Here kHere = {absl::FromUnixSeconds(1'800'000'000), absl::UTCTimeZone()};

absl::Status Refused(std::string_view text) {
  const auto deployments = ParseDeployFile(text, "forebay.yaml", kHere);
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
                                           "forebay.yaml", kHere);
  INFO(MessageOf(deployments.status()));
  REQUIRE(deployments.ok());
  REQUIRE(deployments->size() == 2);
  const v1::Deployment& first = deployments->front().request.deployment();
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
  CHECK(deployments->back().request.deployment().name() == "f/b");
}

TEST_CASE("Retries, limits and schedules stand in the file as on the command line") {
  const auto requests = ParseDeployFile(R"(deployments:
  - name: nightly
    flow: f
    pool: p
    command: [x]
    retries: 3
    retry_delay: [10s, 30]
    retry_jitter: 0.2
    retry_on: [failed, crashed]
    timeout: 1h
    concurrency_limit: 1
    collision: cancel-new
    limits: [db-writes]
    schedules:
      - {cron: 0 1 * * *, timezone: Europe/Berlin, parameters: {a: 1}, job_variables: {b: 2}}
      - {cron: "@daily", day_and: true}
      - {anchor: "2026-12-01 08:00", interval: 90s, slug: often, start: +1h, end: +2h,
         catch_up: skip, catch_up_window: 60}
      - {rrule: FREQ=WEEKLY}
)",
                                        "forebay.yaml", kHere);
  INFO(MessageOf(requests.status()));
  REQUIRE(requests.ok());
  const auto& deployment = requests->front().request.deployment();
  CHECK(deployment.retry().retries() == 3);
  CHECK(deployment.retry().delays(1).seconds() == 30);
  CHECK(deployment.retry().jitter() == 0.2);
  CHECK(deployment.retry().on(1) == v1::RETRY_CAUSE_CRASHED);
  CHECK(deployment.timeout().seconds() == 3600);
  CHECK(deployment.concurrency_limit() == 1);
  CHECK(deployment.collision() == v1::COLLISION_STRATEGY_CANCEL_NEW);
  CHECK(deployment.concurrency_limits(0) == "db-writes");
  const auto& schedules = requests->front().request.schedules();
  REQUIRE(schedules.size() == 4);
  CHECK(schedules[0].slug() == "cron");
  CHECK(schedules[0].time_zone() == "Europe/Berlin");
  CHECK(schedules[0].parameters() == R"({"a":1})");
  CHECK(schedules[1].slug() == "cron-2");
  CHECK(schedules[1].cron().day_and());
  CHECK(schedules[2].slug() == "often");
  CHECK(schedules[2].interval().anchor().seconds() == 1'796'112'000);
  CHECK(schedules[2].end_time().seconds() == 1'800'007'200);
  CHECK(schedules[2].catch_up_window().seconds() == 60);
  CHECK(schedules[3].slug() == "rrule");
}

TEST_CASE("A wrong schedule is named with its place in the file") {
  const auto refused = [](std::string_view pairs) {
    const auto status = Refused(
        fmt::format("deployments:\n  - {{name: a, flow: f, pool: p, command: [x], {}}}\n", pairs));
    return std::string(MessageOf(status));
  };
  const std::string place = "forebay.yaml: deployments[0]: schedules[0]: ";
  CHECK(refused("schedules: [{corn: '* * * * *'}]") ==
        place + "unknown key `corn`; did you mean `cron`?");
  CHECK(refused("schedules: [{timezone: UTC}]") ==
        place + "a schedule needs one of `cron`, `interval`, `rrule`");
  CHECK(refused("schedules: [{interval: often}]") ==
        place + "interval must be a duration like 90s, 15m or 2h, not `often`");
  CHECK(refused("schedules: [{cron: x, interval: 5}]").starts_with(place + "`interval` must be"));
  CHECK(refused("schedules: [{cron: x, anchor: +1h}]") ==
        place + "anchor belongs to an interval or an rrule");
  CHECK(refused("schedules: [{cron: x, slug: a}, {cron: y, slug: a}]")
            .starts_with("forebay.yaml: deployments[0]: schedules[1]: `slug` must be"));
  CHECK(refused("schedules: 5").starts_with("forebay.yaml: deployments[0]: `schedules` must be"));
  CHECK(refused("retry_delay: soon")
            .starts_with("forebay.yaml: deployments[0]: retry_delay must be a duration"));
  CHECK(refused("retry_on: [fail]").find("did you mean `failed`?") != std::string::npos);
  CHECK(refused("collision: maybe").find("enqueue, cancel-new") != std::string::npos);
}

TEST_CASE("The example that is shipped is one") {
  const auto text = ReadGolden(std::filesystem::path(FOREBAY_SOURCE_DIR) / "examples/forebay.yaml");
  const auto deployments = ParseDeployFile(text, "forebay.yaml", kHere);
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
