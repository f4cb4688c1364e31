// Hostile Kubernetes jobs: dangerous values anywhere in a Job's manifest, each by every route that
// a value can take. Nothing may come through, and what is refused is refused for what it is about.

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "common/base/status.h"
#include "common/job_template/job_template.h"
#include "common/launch_plan/launch_plan.h"
#include "tests/support/catch.h"

namespace forebay {
namespace {

constexpr char kStrict[] = R"({"rules":[
  {"field":"namespace","allow":["team-a"]},
  {"field":"image","allow":["registry.acme.example/team/**"]},
  {"field":"image_pull_secrets","allow":[]},
  {"field":"env","deny":["AWS_*"]},
  {"field":"env_from","allow":["configMap:app-*"]},
  {"field":"service_account","allow":["default"]},
  {"field":"service_account_token","allow":[false]},
  {"field":"allow_privilege_escalation","allow":[false]},
  {"field":"cap_drop","include":["ALL"]},
  {"field":"run_as_user","deny":["0"]},
  {"field":"run_as_non_root","allow":[true]},
  {"field":"groups","deny":["0"]},
  {"field":"seccomp_profile","allow":["RuntimeDefault"]},
  {"field":"volumes","allow":["emptyDir","configMap:app-*","secret:app-*"]},
  {"field":"node_selector","deny":["node-role.kubernetes.io/**"]},
  {"field":"tolerations","allow":["gpu*:*"]},
  {"field":"runtime_class","allow":[]},
  {"field":"priority_class","allow":[]},
  {"field":"scheduler","allow":[]},
  {"field":"cpu_limit","max":2},
  {"field":"memory_limit","max":"2g"},
  {"field":"resources","allow":[]},
  {"field":"other","allow":["affinity"]}]})";

Json ReadCases() {
  std::ifstream file(std::string(HOSTILE_DIR) + "/kubernetes.json");
  std::stringstream text;
  text << file.rdbuf();
  auto parsed = ParseJson(text.str(), "kubernetes.json");
  INFO(parsed.status().ToString());
  REQUIRE(parsed.ok());
  return *std::move(parsed);
}

// What is right in every respect.
Json GoodManifest() {
  return *ParseJson(R"({
    "apiVersion": "batch/v1", "kind": "Job", "metadata": {},
    "spec": {"backoffLimit": 0, "template": {"metadata": {}, "spec": {
      "restartPolicy": "Never", "automountServiceAccountToken": false,
      "securityContext": {"runAsNonRoot": true, "runAsUser": 1000,
                          "seccompProfile": {"type": "RuntimeDefault"}},
      "containers": [{
        "name": "main", "image": "registry.acme.example/team/app:1",
        "resources": {"limits": {"cpu": 1, "memory": "1Gi"}},
        "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}}
      }]}}}})",
                    "manifest");
}

struct Case {
  std::string name;
  Json job_template;
  Json deployment = Json::object();
  Json run = Json::object();
};

// A template with this manifest, and variables of these names that take anything.
Json TemplateOf(const Json& manifest, const std::vector<std::string>& names) {
  Json job_template = {{"job_configuration", {{"namespace", "team-a"}, {"job_manifest", manifest}}},
                       {"variables", {{"type", "object"}, {"properties", Json::object()}}}};
  for (const std::string& name : names) {
    job_template["variables"]["properties"][name] = Json::object();
  }
  return job_template;
}

// The good manifest with `value` at the pointer.
Json ManifestWith(const std::string& at, const Json& value) {
  Json manifest = GoodManifest();
  manifest[Json::json_pointer(at)] = value;
  return manifest;
}

// Each of the ways that there are.
std::vector<Case> Routes(const std::string& at, const Json& value) {
  std::vector<Case> cases;
  const auto add = [&](const char* route, const Json& manifest,
                       const std::vector<std::string>& names) -> Case& {
    cases.push_back({fmt::format("{} = {} by {}", at,
                                 value.dump(-1, ' ', true, Json::error_handler_t::replace), route),
                     TemplateOf(manifest, names), Json::object(), Json::object()});
    return cases.back();
  };
  const Json open = ManifestWith(at, "{{ x }}");
  add("deployment", open, {"x"}).deployment["x"] = value;
  add("run", open, {"x"}).run["x"] = value;
  add("the whole manifest", "{{ x }}", {"x"}).run["x"] = ManifestWith(at, value);
  Case& indirect = add("a part of another", ManifestWith(at, "{{ y.of[0] }}"), {"y"});
  indirect.run["y.of"] = Json::array({value});
  if (value.is_string()) {
    Case& pieces = add("pieces", ManifestWith(at, "{{ a }}{{ b }}"), {"a", "b"});
    const auto text = value.get<std::string>();
    pieces.deployment["a"] = text.substr(0, text.size() / 2);
    pieces.run["b"] = text.substr(text.size() / 2);
  }
  if (value.is_null() || value == "{{ x }}") return cases;
  add("template", ManifestWith(at, value), {});
  Case& by_default = add("template default", open, {"x"});
  by_default.job_template["variables"]["properties"]["x"]["default"] = value;
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
                   PlanJob("kubernetes", job_template, hostile.deployment, hostile.run));
  ASSIGN_OR_RETURN(const Policy policy, Policy::Parse("kubernetes", policy_text));
  return Allow(policy, "the policy", job);
}

// Whether the refusal, or one of the policy's denials, names the field.
bool IsAbout(const Case& hostile, const absl::Status& refusal, const std::string& field) {
  const auto detail = DetailOf(refusal);
  if (!detail.has_value()) return false;
  const auto found = detail->metadata.find("field");
  if (found != detail->metadata.end() && found->second.find(field) != std::string::npos)
    return true;
  if (detail->reason != "POLICY_DENIED") return false;
  const auto job_template = JobTemplate::Parse(DumpJson(hostile.job_template));
  const auto job = PlanJob("kubernetes", *job_template, hostile.deployment, hostile.run);
  const auto denials = Policy::Parse("kubernetes", kStrict)->Check(job->final_spec, job->origins);
  return std::any_of(denials.begin(), denials.end(), [&](const Denial& denial) {
    return denial.field.find(field) != std::string::npos;
  });
}

TEST_CASE("what is dangerous in a manifest is refused by whatever way it comes") {
  int cases = 0;
  const Json all = ReadCases();
  for (const Json& one : all) {
    for (const Case& hostile : Routes(one["at"], one["value"])) {
      ++cases;
      INFO(hostile.name);
      const absl::Status refused = WayToLaunch(hostile, kStrict);
      CHECK_FALSE(refused.ok());
      INFO(refused.ToString());
      CHECK(IsAbout(hostile, refused, one["about"]));
    }
  }
  fmt::print("hostile Kubernetes jobs: {} cases, none came through\n", cases);
  CHECK(cases >= 1000);
}

TEST_CASE(
    "without a policy of the pool the built-in rules hold by themselves, for Kubernetes too") {
  const std::string pod = "/spec/template/spec", main = pod + "/containers/0";
  const std::pair<std::string, Json> dangers[] = {
      {pod + "/hostNetwork", true},
      {pod + "/hostPID", true},
      {pod + "/hostIPC", true},
      {main + "/securityContext/privileged", true},
      {main + "/securityContext/capabilities/add", {"SYS_ADMIN"}},
      {main + "/securityContext/procMount", "Unmasked"},
      {main + "/securityContext/seLinuxOptions", {{"type", "spc_t"}}},
      {main + "/securityContext/seccompProfile", {{"type", "Unconfined"}}},
      {main + "/securityContext/appArmorProfile", {{"type", "Unconfined"}}},
      {main + "/ports", {{{"hostPort", 22}}}},
      {pod + "/volumes", {{{"name", "v"}, {"hostPath", {{"path", "/"}}}}}},
      {pod + "/volumes", {{{"name", "v"}, {"nfs", {{"server", "x"}, {"path", "/"}}}}}},
      {pod + "/securityContext/sysctls", {{{"name", "kernel.msgmax"}, {"value", "1"}}}},
  };
  for (const auto& [at, value] : dangers) {
    for (const Case& hostile : Routes(at, value)) {
      INFO(hostile.name);
      CHECK(ReasonOf(WayToLaunch(hostile, "")) == "POLICY_DENIED");
    }
  }
}

TEST_CASE("a rule that allows one thing for Kubernetes allows nothing beside it") {
  const std::string volumes = "/spec/template/spec/volumes";
  const auto try_path = [&](const char* path) {
    const Json value = {{{"name", "v"}, {"hostPath", {{"path", path}}}}};
    const Case one{"", TemplateOf(ManifestWith(volumes, value), {})};
    return WayToLaunch(one, R"({"rules":[{"field":"volumes","allow":["hostPath:/srv/**"]}]})").ok();
  };
  CHECK(try_path("/srv/data"));
  for (const char* path : {"/srv", "/srv2/x", "/etc", "/srv/../etc", "/srv/x/../../etc"}) {
    INFO(path);
    CHECK_FALSE(try_path(path));
  }
}

TEST_CASE("what is harmless comes through, for Kubernetes too") {
  const std::string pod = "/spec/template/spec", main = pod + "/containers/0";
  const std::pair<std::string, Json> harmless[] = {
      {"/metadata/labels", {{"team", "data"}}},
      {"/spec/template/metadata/annotations", {{"sidecar.istio.io/inject", "false"}}},
      {"/spec/parallelism", 1},
      {"/spec/suspend", false},
      {"/spec/activeDeadlineSeconds", 60},
      {pod + "/affinity", {{"nodeAffinity", Json::object()}}},
      {pod + "/hostNetwork", false},
      {pod + "/nodeSelector", {{"disk", "ssd"}}},
      {pod + "/tolerations", {{{"key", "gpu"}, {"operator", "Exists"}, {"effect", "NoSchedule"}}}},
      {pod + "/enableServiceLinks", false},
      {pod + "/volumes", {{{"name", "v"}, {"emptyDir", Json::object()}}}},
      {pod + "/volumes", {{{"name", "v"}, {"secret", {{"secretName", "app-db"}}}}}},
      {pod + "/volumes",
       {{{"name", "v"}, {"projected", {{"sources", {{{"configMap", {{"name", "app-x"}}}}}}}}}}},
      {main + "/env", {{{"name", "A"}, {"value", "1"}}}},
      {main + "/envFrom", {{{"configMapRef", {{"name", "app-settings"}}}}}},
      {main + "/command", {"tini", "--"}},
      {main + "/resources/limits", {{"cpu", "2000m"}, {"memory", "2Gi"}}},
      {main + "/securityContext/readOnlyRootFilesystem", true},
      {main + "/securityContext/privileged", false},
      {main + "/ports", {{{"containerPort", 8080}}}},
  };
  for (const auto& [at, value] : harmless) {
    const Case one{"", TemplateOf(ManifestWith(at, value), {})};
    INFO(at << " = " << DumpJson(value));
    const absl::Status allowed = WayToLaunch(one, kStrict);
    INFO(allowed.ToString());
    CHECK(allowed.ok());
  }
}

TEST_CASE("a namespace that the policy does not allow is refused") {
  Case hostile{"", TemplateOf(GoodManifest(), {"n"})};
  hostile.job_template["job_configuration"]["namespace"] = "{{ n }}";
  for (const char* name : {"kube-system", "team-a ", "Team-a", "team-a/x", ""}) {
    hostile.run["n"] = name;
    INFO(name);
    CHECK_FALSE(WayToLaunch(hostile, kStrict).ok());
  }
  hostile.run["n"] = "team-a";
  CHECK(WayToLaunch(hostile, kStrict).ok());
}

}  // namespace
}  // namespace forebay
