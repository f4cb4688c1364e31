#include "common/policy/policy.h"

#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/job_spec/final_spec.h"
#include "common/policy/glob.h"
#include "tests/support/catch.h"

namespace forebay {
namespace {

std::vector<Denial> Denials(const std::string& policy_text, Json configuration,
                            const std::vector<LeafOrigin>& origins = {}) {
  if (!configuration.contains("image")) configuration["image"] = "acme/app:1";
  const auto policy = Policy::Parse("docker", policy_text);
  INFO(policy.status().ToString());
  REQUIRE(policy.ok());
  const auto spec = FinalSpec("docker", configuration);
  INFO(spec.status().ToString());
  REQUIRE(spec.ok());
  return policy->Check(*spec, origins);
}

bool Allows(const std::string& rule, const Json& configuration) {
  return Denials(R"({"rules":[)" + rule + "]}", configuration).empty();
}

TEST_CASE("Globs match from beginning to end, and stay between slashes unless told otherwise") {
  CHECK(GlobMatches("a/*", "a/b"));
  CHECK_FALSE(GlobMatches("a/*", "a/b/c"));
  CHECK(GlobMatches("a/**", "a/b/c"));
  CHECK_FALSE(GlobMatches("a", "ab"));
  CHECK_FALSE(GlobMatches("b", "ab"));
  CHECK(GlobMatches("a?c", "abc"));
  CHECK_FALSE(GlobMatches("a?c", "a/c"));
  CHECK(GlobMatches("**", ""));
  CHECK(GlobMatches("a.b", "a.b"));
  CHECK_FALSE(GlobMatches("a.b", "axb"));
  CHECK_FALSE(GlobMatches(std::string(500, '*') + "b", std::string(2000, 'a')));
}

TEST_CASE("Without rules the built-in ones hold, and a rule that allows takes their place") {
  CHECK(Denials("", {}).empty());
  CHECK(Denials("", {{"privileged", true}}).size() == 1);
  CHECK(Denials("", {{"volumes", {"/srv:/x"}}}).size() == 1);
  CHECK(Denials("", {{"volumes", {"data:/x"}}}).empty());
  CHECK(Denials("", {{"network_mode", "host"}}).size() == 1);
  CHECK(Allows(R"({"field":"network_mode","allow":["host"]})", {{"network_mode", "host"}}));
  CHECK(Allows(R"({"field":"volumes","allow":["/srv/**"]})", {{"volumes", {"/srv/a/b:/x"}}}));
  CHECK_FALSE(Allows(R"({"field":"volumes","allow":["/srv/**"]})", {{"volumes", {"/etc:/x"}}}));
  // What only says in what form leaves the built-in rule.
  CHECK_FALSE(Allows(R"({"field":"volumes","read_only":true})", {{"volumes", {"/etc:/x:ro"}}}));
}

TEST_CASE("A denial names rule, field, value and who set it") {
  const auto denials =
      Denials(R"({"rules":[{"name":"ours","field":"image","allow":["docker.io/acme/**"]}]})",
              {{"image", "evil/app"}}, {{"/image", Origin::kRun}});
  REQUIRE(denials.size() == 1);
  CHECK(denials[0].rule == "ours");
  CHECK(denials[0].field == "/image");
  CHECK(denials[0].value == "\"docker.io/evil/app:latest\"");
  CHECK(denials[0].set_by == "run");
  const auto status = DeniedBy("the policy of work pool 'x'", denials);
  CHECK(status.code() == absl::StatusCode::kPermissionDenied);
  CHECK(DetailOf(status)->metadata.at("rule") == "ours");
}

TEST_CASE("Limits that are not there are above every maximum") {
  CHECK_FALSE(Allows(R"({"field":"mem_limit","max":"1g"})", {}));
  CHECK(Allows(R"({"field":"mem_limit","max":"1g"})", {{"mem_limit", "1g"}}));
  CHECK_FALSE(Allows(R"({"field":"mem_limit","max":"1g"})", {{"mem_limit", "1025m"}}));
  CHECK_FALSE(Allows(R"({"field":"memswap_limit","max":"1g"})",
                     {{"mem_limit", "64m"}, {"memswap_limit", -1}}));
  CHECK_FALSE(Allows(R"({"field":"memswap_limit","max":"1g"})", {{"mem_limit", "600m"}}));
  CHECK_FALSE(Allows(R"({"field":"cpus","max":2})", {}));
}

TEST_CASE("Requirements") {
  CHECK_FALSE(Allows(R"({"field":"user","required":true})", {}));
  CHECK(Allows(R"({"field":"user","required":true})", {{"user", "1000"}}));
  CHECK_FALSE(Allows(R"({"field":"read_only","allow":[true]})", {}));
  CHECK(Allows(R"({"field":"read_only","allow":[true]})", {{"read_only", true}}));
  CHECK_FALSE(Allows(R"({"field":"cap_drop","include":["ALL"]})", {{"cap_drop", {"CHOWN"}}}));
  CHECK(Allows(R"({"field":"cap_drop","include":["ALL"]})", {{"cap_drop", {"ALL"}}}));
  CHECK_FALSE(Allows(R"({"field":"image","require_digest":true})", {}));
  CHECK(Allows(R"({"field":"image","require_digest":true})",
               {{"image", "a@sha256:" + std::string(64, 'a')}}));
  CHECK_FALSE(Allows(R"({"field":"volumes","read_only":true})", {{"volumes", {"d:/x"}}}));
  CHECK_FALSE(Allows(R"({"field":"env","deny":["AWS_*"]})", {{"env", {{"AWS_KEY", "x"}}}}));
}

TEST_CASE("A policy that says nothing sensible is refused at its place") {
  const std::pair<const char*, const char*> bad[] = {
      {R"({"rule":[]})", "policy"},
      {R"({"rules":{}})", "policy.rules"},
      {R"({"rules":[{"field":"imag","allow":[]}]})", "policy.rules[0].field"},
      {R"({"rules":[{"allow":[]}]})", "policy.rules[0].field"},
      {R"({"rules":[{"field":"image"}]})", "policy.rules[0]"},
      {R"({"rules":[{"field":"image","alow":[]}]})", "policy.rules[0]"},
      {R"({"rules":[{"field":"image","max":1}]})", "policy.rules[0].max"},
      {R"({"rules":[{"field":"mem_limit","max":"much"}]})", "policy.rules[0].max"},
      {R"({"rules":[{"field":"privileged","allow":["yes"]}]})", "policy.rules[0].allow[0]"},
      {R"({"rules":[{"field":"user","require_digest":true}]})", "policy.rules[0].require_digest"},
      {R"({"rules":[{"field":"image","include":["x"]}]})", "policy.rules[0].include"},
  };
  for (const auto& [text, field] : bad) {
    INFO(text);
    const auto refused = Policy::Parse("docker", text).status();
    CHECK(ReasonOf(refused) == "INVALID_POLICY");
    CHECK(DetailOf(refused)->metadata.at("field") == field);
  }
  CHECK(ReasonOf(Policy::Parse("nomad", "").status()) == "UNKNOWN_POOL_TYPE");
}

}  // namespace
}  // namespace forebay
