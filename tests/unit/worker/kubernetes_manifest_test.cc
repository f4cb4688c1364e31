// What the kubernetes launcher tells the API server. The bodies are compared with files; the tests
// of the launcher give the same bodies to a real one.

#include "worker/launch/kubernetes/manifest.h"

#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/job_spec/kubernetes_names.h"
#include "common/job_template/job_template.h"
#include "common/job_template/rendered_job.h"
#include "tests/golden/golden.h"
#include "tests/support/catch.h"
#include "worker/launch/kubernetes/labels.h"

namespace forebay::worker {
namespace {

constexpr char kName[] = "forebay-0192f0a0-0000-7000-8000-000000000001-2";

LaunchSpec Launch(const Json& configuration) {
  LaunchSpec launch;
  launch.name = kName;
  launch.command = {"run", "$(IT)", ""};
  launch.environment = {{"FOREBAY_RUN_ID", "0192f0a0-0000-7000-8000-000000000001"},
                        {"FOREBAY_DEPLOYMENT", "repo-stats/$(k)"},
                        {"FOREBAY_PARAMETERS", R"({"password":"x"})"}};
  launch.labels = {{"forebay.io/run-id", "0192f0a0-0000-7000-8000-000000000001"},
                   {"forebay.io/attempt", "2"},
                   {"forebay.io/deployment", "repo-stats/k"}};
  launch.configuration = configuration;
  launch.cancel_grace = absl::Milliseconds(29'500);
  return launch;
}

ManifestContext Context() { return {"pool"}; }

Json Rendered(Json variables) {
  variables["image"] = variables.value("image", "acme/app:1");
  const auto job_template = JobTemplate::Parse(DefaultJobTemplate("kubernetes"));
  return job_template->Render(Json::object(), variables)->configuration;
}

KubernetesSpec Typed(const Json& configuration) {
  auto spec = TypeKubernetesSpec(configuration);
  INFO(spec.status().ToString());
  REQUIRE(spec.ok());
  return *std::move(spec);
}

Json JobOf(const LaunchSpec& launch) {
  const auto job = JobManifest(launch, Typed(launch.configuration), Context());
  INFO(job.status().ToString());
  REQUIRE(job.ok());
  return *job;
}

Json SecretOf(const LaunchSpec& launch) {
  const auto secret = SecretManifest(launch, Typed(launch.configuration), Context(), "job-uid");
  return secret.value_or(Json());
}

void CompareWithGolden(const std::string& name, const Json& actual) {
  const std::string text = DumpPrettyJson(actual) + "\n";
  CHECK(text == Golden(GoldenDirectory() / "kubernetes" / (name + ".json"), text));
}

TEST_CASE("each variable becomes what Kubernetes knows it by", "[kubernetes]") {
  const std::pair<const char*, Json> variables[] = {
      {"image_alone", Json::object()},
      {"command", {{"command", {"other", "one"}}}},
      {"env", {{"env", {{"A", "1"}, {"GONE", nullptr}, {"N", 2}, {"D", "$(A)"}}}}},
      {"labels", {{"labels", {{"team", "data"}, {"owner", "a b/c"}}}}},
      {"annotations", {{"annotations", {{"acme.example/why", "because of it"}}}}},
      {"namespace", {{"namespace", "team-a"}}},
      {"name", {{"name", "nightly: all of it"}}},
      {"resources",
       {{"cpu_request", "250m"},
        {"cpu_limit", 2},
        {"memory_request", "64Mi"},
        {"memory_limit", "1Gi"}}},
      {"identity",
       {{"run_as_user", 1000},
        {"run_as_group", 1000},
        {"fs_group", 2000},
        {"run_as_non_root", false},
        {"read_only", true},
        {"service_account_name", "robot"},
        {"automount_service_account_token", true}}},
      {"placement",
       {{"node_selector", {{"disk", "ssd"}}},
        {"tolerations", {{{"key", "gpu"}, {"operator", "Exists"}}}}}},
      {"pulling", {{"image_pull_policy", "Never"}, {"image_pull_secrets", {"registry"}}}},
      {"working_dir", {{"working_dir", "/srv"}}},
      {"finished_job_ttl", {{"finished_job_ttl", 3600}}},
      {"no_output", {{"stream_output", false}, {"pod_watch_timeout_seconds", 5}}},
  };
  for (const auto& [name, given] : variables) {
    INFO(name);
    const LaunchSpec launch = Launch(Rendered(given));
    CompareWithGolden(name, {{"job", JobOf(launch)}, {"secret", SecretOf(launch)}});
  }
}

TEST_CASE("a program that passes the gate itself is not held back", "[kubernetes]") {
  LaunchSpec launch = Launch(Rendered({{"env", {{"A", "1"}}}}));
  launch.environment["FOREBAY_LAUNCH_TICKET"] = "fbt_ticket";
  CHECK_FALSE(IsGated(launch));
  const Json job = JobOf(launch);
  CompareWithGolden("own_gate", {{"job", job}, {"secret", SecretOf(launch)}});
  CHECK(DumpJson(job).find("fbt_ticket") == std::string::npos);
}

TEST_CASE("a manifest of a team's own keeps what it says", "[kubernetes]") {
  Json manifest = *ParseJson(R"json({
    "apiVersion": "batch/v1", "kind": "Job",
    "metadata": {"labels": {"team": "theirs"}, "annotations": {"a.b/c": "d"}},
    "spec": {"activeDeadlineSeconds": 60, "template": {
      "metadata": {"annotations": {"sidecar.istio.io/inject": "false"}},
      "spec": {
        "schedulingGates": [{"name": "acme.example/quota"}],
        "volumes": [{"name": "scratch", "emptyDir": {}}],
        "initContainers": [{"name": "init", "image": "acme/init"}],
        "containers": [
          {"name": "proxy", "image": "acme/proxy"},
          {"name": "main", "image": "acme/app", "command": ["tini", "--", "$(A)"], "args": ["unused"],
           "envFrom": [{"configMapRef": {"name": "app"}}],
           "env": [{"name": "A", "value": "theirs"}, {"name": "B", "value": "b$(A)"},
                   {"name": "C", "value": "c"}],
           "volumeMounts": [{"name": "scratch", "mountPath": "/scratch"}]}]
}
}
}
})json",
                             "manifest");
  const Json configuration = {{"job_manifest", manifest},
                              {"labels", {{"team", "ours"}}},
                              {"env", {{"A", "ours"}, {"C", nullptr}}}};
  const LaunchSpec launch = Launch(configuration);
  CompareWithGolden("own_manifest", {{"job", JobOf(launch)}, {"secret", SecretOf(launch)}});
}

TEST_CASE("a container without a command of ours keeps its own", "[kubernetes]") {
  LaunchSpec launch = Launch(Rendered(Json::object()));
  launch.command.clear();
  const Json plain = JobOf(launch)["spec"]["template"]["spec"]["containers"][0];
  CHECK_FALSE(plain.contains("command"));
  CHECK_FALSE(plain.contains("args"));
  Json& main = launch.configuration["job_manifest"]["spec"]["template"]["spec"]["containers"][0];
  main["args"] = {"theirs"};
  CHECK(JobOf(launch)["spec"]["template"]["spec"]["containers"][0]["args"] == Json{"theirs"});
}

TEST_CASE("what hides nothing needs no Secret", "[kubernetes]") {
  LaunchSpec launch = Launch(Rendered(Json::object()));
  launch.environment["FOREBAY_PARAMETERS"] = "{}";
  CHECK(SecretOf(launch).is_null());
  CHECK(JobOf(launch).dump().find("secretKeyRef") == std::string::npos);
}

TEST_CASE("what the job's users configured stands in no spec", "[kubernetes]") {
  const LaunchSpec launch = Launch(Rendered({{"env", {{"KEY", "hunter2"}}}}));
  const std::string job = DumpJson(JobOf(launch));
  CHECK(job.find("hunter2") == std::string::npos);
  CHECK(job.find("password") == std::string::npos);
}

TEST_CASE("what no Pod could do is refused before one is made", "[kubernetes]") {
  const auto refused = [](const LaunchSpec& launch) {
    const auto status = JobManifest(launch, Typed(launch.configuration), Context()).status();
    INFO(status.ToString());
    CHECK(ReasonOf(status) == "INVALID_JOB");
    const auto detail = DetailOf(status);
    return detail.has_value() ? detail->metadata.at("field") : "";
  };
  LaunchSpec nul = Launch(Rendered(Json::object()));
  nul.command = {std::string("a\0b", 3)};
  CHECK(refused(nul) == "command");
  LaunchSpec protected_name = Launch(Rendered(Json::object()));
  protected_name.configuration["env"] = {{"LD_PRELOAD", "x"}};
  CHECK(
      ReasonOf(JobManifest(protected_name, Typed(Rendered(Json::object())), Context()).status()) ==
      "INVALID_JOB");
  CHECK(refused(Launch(Rendered({{"env", {{"A", std::string(1 << 20, 'x')}}}}))) == "env");
}

TEST_CASE("a finished Job is kept no shorter than a worker may be away", "[kubernetes]") {
  const auto ttl = [](const Json& variables) {
    return JobOf(Launch(Rendered(variables)))["spec"].value("ttlSecondsAfterFinished", -1);
  };
  CHECK(ttl(Json::object()) == -1);
  CHECK(ttl({{"finished_job_ttl", 0}}) == 300);
  CHECK(ttl({{"finished_job_ttl", 3600}}) == 3600);
}

TEST_CASE("the grace is whole seconds, and never less than it should be", "[kubernetes]") {
  const auto grace = [](absl::Duration given) {
    LaunchSpec launch = Launch(Rendered(Json::object()));
    launch.cancel_grace = given;
    return JobOf(launch)["spec"]["template"]["spec"]["terminationGracePeriodSeconds"];
  };
  CHECK(grace(absl::ZeroDuration()) == 0);
  CHECK(grace(absl::Milliseconds(1)) == 1);
  CHECK(grace(absl::Seconds(30)) == 30);
  CHECK(grace(absl::InfiniteDuration()) == 365 * 24 * 3600);
}

TEST_CASE("values of labels are made to fit, and told in full beside", "[kubernetes]") {
  CHECK(LabelValue("plain-1.x_y") == "plain-1.x_y");
  CHECK(LabelValue("flow/deployment") == "flow-deployment");
  CHECK(LabelValue(" a ") == "a");
  CHECK(LabelValue("größe") == "gr----e");
  CHECK(LabelValue("///").empty());
  CHECK(LabelValue("").empty());
  const std::string longest(63, 'a');
  CHECK(LabelValue(longest) == longest);
  const std::string one = longest + "-one", two = longest + "-two";
  CHECK(LabelValue(one) != LabelValue(two));
  for (const std::string& value :
       {one, two, std::string(200, '/'), std::string(60, '/') + "abcdefg"}) {
    INFO(value);
    CHECK(IsLabelValue(LabelValue(value)));
    CHECK_FALSE(LabelValue(value).empty());
  }
  const Marks marks = MarksOf({{"a", "flow/x"}, {"b", "y"}});
  CHECK(marks.labels == std::map<std::string, std::string>{{"a", "flow-x"}, {"b", "y"}});
  CHECK(marks.annotations == std::map<std::string, std::string>{{"a", "flow/x"}});
}

}  // namespace
}  // namespace forebay::worker
