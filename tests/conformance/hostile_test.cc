// Hostile jobs: dangerous values of the engine's fields, each by every route that a value can take.
// Nothing may come through, and what is refused is refused for the field that it is about.

#include <fmt/format.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "common/base/status.h"
#include "common/launch_plan/launch_plan.h"
#include "tests/support/catch.h"

namespace forebay {
namespace {

constexpr char kImages[] =
    R"({"rules":[{"field":"image","allow":["registry.acme.example/team/**","docker.io/library/python:3.*"]},
                 {"field":"mem_limit","max":"1g"},{"field":"memswap_limit","max":"2g"},
                 {"field":"cpus","max":2},{"field":"pids_limit","max":500},
                 {"field":"shm_size","max":"1g"},
                 {"field":"user","required":true,"deny":["root","0","root:*","0:*"]}]})";

Json ReadFile(const std::string& name) {
  std::ifstream file(std::string(HOSTILE_DIR) + "/" + name);
  std::stringstream text;
  text << file.rdbuf();
  auto parsed = ParseJson(text.str(), name);
  INFO(parsed.status().ToString());
  REQUIRE(parsed.ok());
  return *std::move(parsed);
}

// What is right in every respect.
Json GoodVariables() {
  return {{"image", "registry.acme.example/team/app:1"},
          {"user", "1000"},
          {"mem_limit", "512m"},
          {"cpus", 1},
          {"pids_limit", 100}};
}

// A template that takes every value of `values` as it comes: the schema says nothing, so that only
// what is behind it can refuse.
Json OpenTemplate(const Json& values) {
  Json job_template = {{"job_configuration", Json::object()},
                       {"variables", {{"type", "object"}, {"properties", Json::object()}}}};
  for (const auto& [name, value] : values.items()) {
    job_template["job_configuration"][name] = "{{ " + name + " }}";
    job_template["variables"]["properties"][name] = Json::object();
  }
  return job_template;
}

struct Case {
  std::string name;
  Json job_template;
  Json deployment = Json::object();
  Json run = Json::object();
};

// `name` set to `value` in each of the ways that there are.
std::vector<Case> Routes(const std::string& name, const Json& value) {
  Json values = GoodVariables();
  values[name] = value;
  std::vector<Case> cases;
  const auto add = [&](const char* route) -> Case& {
    cases.push_back({fmt::format("{} = {} by {}", name, DumpJson(value), route),
                     OpenTemplate(values), GoodVariables(), Json::object()});
    return cases.back();
  };
  add("template").job_template["job_configuration"][name] = value;
  add("template default").job_template["variables"]["properties"][name]["default"] = value;
  cases.back().deployment.erase(name);
  add("deployment").deployment[name] = value;
  add("run").run[name] = value;
  Case& indirect = add("another variable's name");
  indirect.job_template["job_configuration"][name] = "{{ other.value[0] }}";
  indirect.job_template["variables"]["properties"]["other"] = Json::object();
  indirect.run["other.value"] = Json::array({value});
  if (value.is_string()) {
    Case& pieces = add("pieces in one text");
    const auto text = value.get<std::string>();
    pieces.job_template["job_configuration"][name] = "{{ left }}{{ right }}";
    pieces.job_template["variables"]["properties"]["left"] = Json::object();
    pieces.job_template["variables"]["properties"]["right"] = Json::object();
    pieces.deployment["left"] = text.substr(0, text.size() / 2);
    pieces.run["right"] = text.substr(text.size() / 2);
  }
  return cases;
}

// OK when it would be launched; else what refuses it.
absl::Status WayToLaunch(const Case& hostile, std::string_view policy_text) {
  ASSIGN_OR_RETURN(const JobTemplate job_template,
                   JobTemplate::Parse(DumpJson(hostile.job_template)));
  RETURN_IF_ERROR(job_template.CheckJobVariables(hostile.deployment, "deployment"));
  RETURN_IF_ERROR(job_template.CheckJobVariables(hostile.run, "run"));
  RETURN_IF_ERROR(job_template.CheckRun(hostile.deployment, hostile.run));
  ASSIGN_OR_RETURN(const PlannedJob job,
                   PlanJob("docker", job_template, hostile.deployment, hostile.run));
  ASSIGN_OR_RETURN(const Policy policy, Policy::Parse("docker", policy_text));
  return Allow(policy, "the policy", job);
}

bool IsAbout(const absl::Status& refusal, const std::string& field) {
  const auto detail = DetailOf(refusal);
  if (!detail.has_value()) return false;
  const auto found = detail->metadata.find("field");
  return found != detail->metadata.end() && found->second.find(field) != std::string::npos;
}

TEST_CASE("what is dangerous is refused by whatever way it comes, for its own sake") {
  int cases = 0;
  const Json fields = ReadFile("values.json");
  for (const auto& [name, values] : fields.items()) {
    for (const Json& value : values) {
      for (const Case& hostile : Routes(name, value)) {
        ++cases;
        INFO(hostile.name);
        const absl::Status refused = WayToLaunch(hostile, kImages);
        CHECK_FALSE(refused.ok());
        INFO(refused.ToString());
        CHECK(IsAbout(refused, name));
      }
    }
  }
  fmt::print("hostile jobs: {} cases, none came through\n", cases);
  CHECK(cases >= 400);
}

TEST_CASE("without a policy of the pool the built-in rules hold by themselves") {
  const Json values = ReadFile("values.json");
  for (const char* field : {"privileged", "cap_add", "network_mode", "volumes", "gpus"}) {
    for (const Json& value : values[field]) {
      for (const Case& hostile : Routes(field, value)) {
        INFO(hostile.name);
        CHECK_FALSE(WayToLaunch(hostile, "").ok());
      }
    }
  }
}

TEST_CASE("no way of writing an image's name gets around the list of allowed ones") {
  const Json names = ReadFile("images.json");
  CHECK(names.size() >= 150);
  for (const Json& name : names) {
    INFO(name.dump(-1, ' ', true, Json::error_handler_t::replace));
    Case hostile{"", OpenTemplate(GoodVariables()), GoodVariables(), {{"image", name}}};
    CHECK_FALSE(WayToLaunch(hostile, kImages).ok());
  }
}

TEST_CASE("what is harmless comes through") {
  const Json benign = ReadFile("benign.json");
  CHECK(benign.size() >= 20);
  for (const Json& variables : benign) {
    INFO(DumpJson(variables));
    Json values = GoodVariables();
    for (const auto& [name, value] : variables.items()) values[name] = value;
    const Case good{"", OpenTemplate(values), GoodVariables(), variables};
    const absl::Status allowed = WayToLaunch(good, kImages);
    INFO(allowed.ToString());
    CHECK(allowed.ok());
  }
}

TEST_CASE("braces inside of values stay what they are") {
  for (const char* text : {"{{ image }}", "{{image}}", "{{ env.SECRET }}", "{{ privileged }}"}) {
    Case hostile{"", OpenTemplate(GoodVariables()), GoodVariables(), {{"image", text}}};
    CHECK_FALSE(WayToLaunch(hostile, kImages).ok());
  }
}

}  // namespace
}  // namespace forebay
