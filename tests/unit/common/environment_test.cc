#include "common/job_template/environment.h"

#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "tests/support/catch.h"

namespace forebay {
namespace {

using Environment = std::map<std::string, std::string>;

TEST_CASE("The env of a job is laid over the environment as text; null unsets") {
  Environment environment = {{"PATH", "/bin"}, {"HOME", "/root"}, {"KEEP", "1"}};
  const Json env = {{"PATH", "/usr/bin"}, {"HOME", nullptr}, {"N", 5},
                    {"B", true},          {"F", 1.5},        {"NEVER", nullptr}};
  REQUIRE(ApplyEnv(env, environment).ok());
  CHECK(environment ==
        Environment{{"PATH", "/usr/bin"}, {"KEEP", "1"}, {"N", "5"}, {"B", "true"}, {"F", "1.5"}});
}

TEST_CASE("What no environment can hold is refused and changes nothing") {
  const Environment before = {{"A", "1"}};
  Environment environment = before;
  const std::vector<Json> bad = {
      Json::array(),
      Json("A=1"),
      Json{{"A", "2"}, {"B", Json::array()}},
      Json{{"", "empty"}},
      Json{{"A=B", "1"}},
      Json{{std::string("A\0B", 3), "1"}},
      Json{{"A", "2"}, {"C", std::string("x\0y", 3)}},
  };
  for (const Json& env : bad) {
    INFO(DumpJson(env));
    CHECK(ReasonOf(ApplyEnv(env, environment)) == "INVALID_ENV");
    CHECK(environment == before);
  }
  CHECK(ApplyEnv(nullptr, environment).ok());
}

}  // namespace
}  // namespace forebay
