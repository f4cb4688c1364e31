#include "cli/deployment_fields.h"

#include "common/base/status.h"
#include "tests/support/catch.h"

namespace forebay::cli {
namespace {

using Words = std::vector<std::string>;
using Given = std::vector<std::pair<std::string, std::string>>;

Arguments Of(const Given& given) {
  Arguments arguments;
  for (const auto& [name, value] : given) arguments.Add(name, value);
  return arguments;
}

TEST_CASE("Each option of a deployment sets its field and names it for the mask") {
  v1::Deployment deployment;
  const auto paths = SetDeploymentFields(Of({{"description", "d"},
                                             {"version", "tutorial/deployments"},
                                             {"tag", "testing"},
                                             {"tag", "tutorial"},
                                             {"concurrency-limit", "2"},
                                             {"collision", "cancel-new"},
                                             {"limit", "db"},
                                             {"limit", "api"},
                                             {"crash-retries", "1"},
                                             {"retries", "3"},
                                             {"retry-delay", "exponential:10s..30s"},
                                             {"retry-jitter", "0.2"},
                                             {"retry-on", "failed,launch-failed"},
                                             {"retry-on", "crashed"},
                                             {"timeout", "1h"}}),
                                         deployment);
  INFO(MessageOf(paths.status()));
  REQUIRE(paths.ok());
  CHECK(*paths == Words{"description", "version", "tags", "concurrency_limit", "collision",
                        "concurrency_limits", "crash_retries", "retry", "timeout"});
  CHECK(deployment.tags_size() == 2);
  CHECK(deployment.concurrency_limit() == 2);
  CHECK(CollisionText(deployment) == "cancel-new");
  CHECK(deployment.concurrency_limits_size() == 2);
  CHECK(deployment.timeout().seconds() == 3600);
  CHECK(RetryText(deployment.retry()) ==
        "3, after 10s, 20s, 30s, up to 20 % longer, when failed or launch-failed or crashed");
}

TEST_CASE("Nothing given changes nothing; none and --no-limits take away") {
  v1::Deployment deployment;
  CHECK(SetDeploymentFields(Of({}), deployment)->empty());
  CHECK_FALSE(deployment.has_retry());
  CHECK(RetryText(deployment.retry()).empty());
  deployment.set_concurrency_limit(1);
  deployment.mutable_timeout()->set_seconds(1);
  deployment.add_concurrency_limits("db");
  const auto paths = SetDeploymentFields(
      Of({{"concurrency-limit", "none"}, {"timeout", "none"}, {"no-limits", "true"}}), deployment);
  REQUIRE(paths.ok());
  CHECK(*paths == Words{"concurrency_limit", "concurrency_limits", "timeout"});
  CHECK_FALSE(deployment.has_concurrency_limit());
  CHECK_FALSE(deployment.has_timeout());
  CHECK(deployment.concurrency_limits().empty());
}

TEST_CASE("Of the retry policy only what was given is changed") {
  v1::Deployment deployment;
  REQUIRE(SetDeploymentFields(Of({{"retries", "3"}, {"retry-delay", "10s"}}), deployment).ok());
  REQUIRE(SetDeploymentFields(Of({{"retries", "5"}}), deployment).ok());
  CHECK(RetryText(deployment.retry()) == "5, after 10s, when failed or timed-out");
}

TEST_CASE("A wrong value is named with its option") {
  const std::vector<std::pair<Given, std::string>> cases = {
      {{{"concurrency-limit", "-1"}},
       "--concurrency-limit must be a whole number from 0 on, or none, not `-1`"},
      {{{"retries", "many"}}, "--retries must be a whole number from 0 to 2147483647, not `many`"},
      {{{"retry-jitter", "2"}}, "--retry-jitter must be a share from 0 to 1, not `2`"},
      {{{"retry-jitter", "nan"}}, "--retry-jitter must be a number like 0.5, not `nan`"},
      {{{"retry-on", "fail"}},
       "--retry-on must be one of failed, crashed, timed-out, launch-failed, not `fail`; did you "
       "mean `failed`?"},
      {{{"timeout", "soon"}}, "--timeout must be a duration like 90s, 15m or 2h, not `soon`"},
      {{{"limit", "a"}, {"no-limits", "true"}},
       "--limit and --no-limits exclude each other: give one of them"},
  };
  for (const auto& [given, message] : cases) {
    v1::Deployment deployment;
    const auto paths = SetDeploymentFields(Of(given), deployment);
    INFO(message);
    REQUIRE_FALSE(paths.ok());
    CHECK(ReasonOf(paths.status()) == "USAGE");
    CHECK(MessageOf(paths.status()) == message);
  }
}

}  // namespace
}  // namespace forebay::cli
