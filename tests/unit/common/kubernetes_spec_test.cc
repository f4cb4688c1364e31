#include "common/job_spec/kubernetes_spec.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/job_spec/final_spec.h"
#include "common/job_spec/kubernetes_names.h"
#include "common/job_spec/kubernetes_resources.h"
#include "common/job_template/job_template.h"
#include "common/launch_plan/launch_plan.h"
#include "tests/support/catch.h"

namespace forebay {
namespace {

constexpr char kPod[] = "/job_manifest/spec/template/spec";
constexpr char kMain[] = "/job_manifest/spec/template/spec/containers/0";
constexpr char kRunSecret[] = "forebay-0192f0a0-0000-7000-8000-000000000001-1";

// The built-in template with these variables.
Json Rendered(Json variables) {
  if (!variables.contains("image")) variables["image"] = "acme/app:1";
  const auto job_template = JobTemplate::Parse(DefaultJobTemplate("kubernetes"));
  INFO(job_template.status().ToString());
  REQUIRE(job_template.ok());
  const absl::Status checked = job_template->CheckRun(Json::object(), variables);
  INFO(checked.ToString());
  REQUIRE(checked.ok());
  return job_template->Render(Json::object(), variables)->configuration;
}

// The same with `value` put in place below the pointer.
Json With(const std::string& pointer, Json value) {
  Json configuration = Rendered(Json::object());
  configuration[Json::json_pointer(pointer)] = std::move(value);
  return configuration;
}

std::string FieldOf(const absl::Status& status) {
  const auto detail = DetailOf(status);
  return detail.has_value() ? detail->metadata.at("field") : "";
}

TEST_CASE("The built-in template makes a Job that is complete and restricted", "[kubernetes]") {
  const auto spec = TypeKubernetesSpec(Rendered(Json::object()));
  INFO(spec.status().ToString());
  REQUIRE(spec.ok());
  CHECK(spec->name_space == "default");
  CHECK(spec->main_container == "main");
  CHECK(spec->stream_output);
  CHECK_FALSE(spec->finished_job_ttl.has_value());
  CHECK(spec->pod_watch_timeout_seconds == 600);
  const Json& pod = spec->manifest["spec"]["template"]["spec"];
  CHECK(pod["restartPolicy"] == "Never");
  CHECK(pod["automountServiceAccountToken"] == false);
  CHECK(pod["securityContext"] ==
        Json{{"runAsNonRoot", true}, {"seccompProfile", {{"type", "RuntimeDefault"}}}});
  const Json& main = pod["containers"][0];
  CHECK(main["image"] == "docker.io/acme/app:1");
  CHECK(main["securityContext"]["allowPrivilegeEscalation"] == false);
  CHECK(main["securityContext"]["capabilities"] == Json{{"drop", {"ALL"}}});
  // What was not given is not there.
  CHECK_FALSE(pod.contains("nodeSelector"));
  CHECK_FALSE(main.contains("imagePullPolicy"));
}

TEST_CASE("Every variable of the built-in template does something", "[kubernetes]") {
  const std::pair<Json, const char*> variables[] = {
      {{{"name", "n"}}, "/name"},
      {{{"env", {{"A", "1"}}}}, "/env"},
      {{{"labels", {{"team", "x"}}}}, "/labels"},
      {{{"annotations", {{"a.b/c", "x y"}}}}, "/annotations"},
      {{{"command", {"a"}}}, "/command"},
      {{{"image_pull_secrets", {"registry"}}}, "/image_pull_secrets"},
      {{{"image_pull_policy", "Never"}}, "/image_pull_policy"},
      {{{"service_account_name", "robot"}}, "/service_account"},
      {{{"automount_service_account_token", true}}, "/service_account_token"},
      {{{"cpu_request", "250m"}}, "/cpu_request"},
      {{{"cpu_limit", 2}}, "/cpu_limit"},
      {{{"memory_request", "64Mi"}}, "/memory_request"},
      {{{"memory_limit", "1Gi"}}, "/memory_limit"},
      {{{"run_as_non_root", false}}, "/run_as_non_root"},
      {{{"run_as_user", 1000}}, "/run_as_user"},
      {{{"run_as_group", 1000}}, "/groups"},
      {{{"fs_group", 1000}}, "/groups"},
      {{{"read_only", true}}, "/read_only"},
      {{{"node_selector", {{"disk", "ssd"}}}}, "/node_selector"},
      {{{"tolerations", {{{"key", "gpu"}, {"operator", "Exists"}}}}}, "/tolerations"},
      {{{"finished_job_ttl", 60}}, "/finished_job_ttl"},
      {{{"pod_watch_timeout_seconds", 5}}, "/pod_watch_timeout_seconds"},
      {{{"stream_output", false}}, "/stream_output"},
      {{{"namespace", "team-a"}}, "/namespace"},
      {{{"image", "other"}}, "/image"},
  };
  const auto plain = FinalSpec("kubernetes", Rendered(Json::object()));
  REQUIRE(plain.ok());
  for (const auto& [given, field] : variables) {
    INFO(DumpJson(given));
    const auto spec = FinalSpec("kubernetes", Rendered(given));
    INFO(spec.status().ToString());
    REQUIRE(spec.ok());
    const Json::json_pointer at(field);
    REQUIRE(spec->contains(at));
    CHECK((!plain->contains(at) || plain->at(at) != spec->at(at)));
  }
  const Json directory = Rendered({{"working_dir", "/srv"}});
  CHECK(directory[Json::json_pointer(kMain)]["workingDir"] == "/srv");
}

TEST_CASE("The main container is the one of that name, else the first", "[kubernetes]") {
  Json configuration = Rendered(Json::object());
  Json& containers = configuration[Json::json_pointer(std::string(kPod) + "/containers")];
  const Json proxy = {{"name", "proxy"}, {"image", "acme/proxy"}};
  containers.insert(containers.begin(), proxy);
  const auto named = TypeKubernetesSpec(configuration);
  REQUIRE(named.ok());
  CHECK(named->main_index == 1);
  containers[1]["name"] = "other";
  const auto first = TypeKubernetesSpec(configuration);
  REQUIRE(first.ok());
  CHECK(first->main_index == 0);
  CHECK(first->main_container == "proxy");
}

TEST_CASE("null is the same as absent", "[kubernetes]") {
  Json configuration = With(std::string(kPod) + "/hostNetwork", nullptr);
  configuration["namespace"] = nullptr;
  configuration[Json::json_pointer(kMain)]["resources"]["limits"]["cpu"] = nullptr;
  const auto spec = TypeKubernetesSpec(configuration);
  INFO(spec.status().ToString());
  REQUIRE(spec.ok());
  CHECK(spec->name_space == "default");
  CHECK_FALSE(spec->manifest["spec"]["template"]["spec"].contains("hostNetwork"));
}

TEST_CASE("What is deep and says nothing about safety is passed on", "[kubernetes]") {
  const Json affinity = {{"nodeAffinity", {{"anything", {1, "two", nullptr}}}}};
  const auto spec = TypeKubernetesSpec(With(std::string(kPod) + "/affinity", affinity));
  REQUIRE(spec.ok());
  const auto listed = FinalSpec("kubernetes", With(std::string(kPod) + "/affinity", affinity));
  CHECK((*listed)["other"] == Json{"affinity"});
}

struct BadField {
  std::string pointer;
  Json value;
  // Where the pointer is the field, empty.
  std::string field;
};

std::string Dotted(std::string pointer) {
  std::replace(pointer.begin(), pointer.end(), '/', '.');
  return pointer.substr(1);
}

TEST_CASE("A Kubernetes job that cannot be launched is refused by its field", "[kubernetes]") {
  const std::string pod = kPod, main = kMain;
  const BadField bad[] = {
      {"/job_manifest", nullptr, ""},
      {"/job_manifest", "text", ""},
      {"/job_manifest", Json::object(), "job_manifest.spec.template.spec.containers"},
      {"/job_manifest/kind", "Pod", ""},
      {"/job_manifest/apiVersion", "batch/v1beta1", ""},
      {"/job_manifest/metadata/name", "mine", ""},
      {"/job_manifest/metadata/generateName", "mine-", ""},
      {"/job_manifest/metadata/namespace", "other", ""},
      {"/job_manifest/spec/backoffLimit", 1, ""},
      {"/job_manifest/spec/backoffLimit", "0", ""},
      {"/job_manifest/spec/parallelism", 2, ""},
      {"/job_manifest/spec/completions", 3, ""},
      {"/job_manifest/spec/completionMode", "Indexed", ""},
      {"/job_manifest/spec/suspend", true, ""},
      {"/job_manifest/spec/podFailurePolicy", {{"rules", Json::array()}}, ""},
      {"/job_manifest/spec/podReplacementPolicy", "Failed", ""},
      {"/job_manifest/spec/ttlSecondsAfterFinished", 1, ""},
      {"/job_manifest/spec/managedBy", "x/y", ""},
      {"/job_manifest/spec/activeDeadlineSeconds", 0, ""},
      {"/job_manifest/spec/template/spec/restartPolicy", "OnFailure", ""},
      {pod + "/restartpolicy", "Never", ""},
      {pod + "/terminationGracePeriodSeconds", 5, ""},
      {pod + "/ephemeralContainers", Json::array(), ""},
      {pod + "/nodeName", "control-plane", ""},
      {pod + "/schedulingGates",
       {{{"name", "forebay.io/go"}}},
       Dotted(pod + "/schedulingGates/0/name")},
      {pod + "/serviceAccount", "robot", ""},
      {pod + "/serviceAccountName", "Robot!", ""},
      {pod + "/hostNetwork", "true", ""},
      {pod + "/os", {{"name", "windows"}}, Dotted(pod + "/os/name")},
      {pod + "/containers", Json::array(), ""},
      {pod + "/containers", {nullptr}, Dotted(pod + "/containers/0")},
      {pod + "/nodeSelector", {{"a b", "c"}}, Dotted(pod + "/nodeSelector/a b")},
      {main + "/image", nullptr, ""},
      {main + "/image", "UPPER", ""},
      {main + "/name", "Main", ""},
      {main + "/imagePullPolicy", "never", ""},
      {main + "/resources/limits/cpu", "much", ""},
      {main + "/resources/limits/memory", "-1Gi", ""},
      {main + "/resources/limits", {{"cpu", true}}, Dotted(main + "/resources/limits/cpu")},
      {main + "/restartPolicy", "Always", ""},
      {main + "/securityContext/privileged", "true", ""},
      {main + "/securityContext/Privileged", true, ""},
      {main + "/securityContext/windowsOptions", {{"hostProcess", true}}, ""},
      {main + "/command", {std::string("a\0b", 3)}, Dotted(main + "/command/0")},
      {main + "/env", {{{"name", "LD_PRELOAD"}, {"value", "x"}}}, Dotted(main + "/env/0/name")},
      {main + "/env", {{{"name", "FOREBAY_LAUNCH_TICKET"}}}, Dotted(main + "/env/0/name")},
      {main + "/env", {{{"name", "A=B"}}}, Dotted(main + "/env/0/name")},
      {main + "/envFrom", {{{"prefix", "LD_"}}}, Dotted(main + "/envFrom/0/prefix")},
      {main + "/volumeMounts",
       {{{"name", "nobody"}, {"mountPath", "/x"}}},
       Dotted(main + "/volumeMounts/0/name")},
      {pod + "/volumes", {{{"name", "v"}}}, Dotted(pod + "/volumes/0")},
      {pod + "/volumes",
       {{{"name", "v"}, {"emptyDir", Json::object()}, {"secret", {{"secretName", "s"}}}}},
       Dotted(pod + "/volumes/0")},
      {pod + "/volumes",
       {{{"name", "v"}, {"hostPath", {{"path", "/srv/../etc"}}}}},
       Dotted(pod + "/volumes/0/hostPath/path")},
      {"/labels", {{"forebay.io/run-id", "x"}}, "labels.forebay.io/run-id"},
      {"/labels", {{"a b", "x"}}, "labels.a b"},
      {"/annotations", {{"forebay.io/go", "x"}}, "annotations.forebay.io/go"},
      {"/job_manifest/spec/template/metadata/annotations",
       {{"forebay.io/go", "x"}},
       "job_manifest.spec.template.metadata.annotations.forebay.io/go"},
      {"/job_manifest/spec/template/metadata/labels",
       {{"job-name", "x"}},
       "job_manifest.spec.template.metadata.labels.job-name"},
      {"/namespace", "Team", ""},
      {"/namespace", "-a", ""},
      {"/namespace", "kube/system", ""},
      {"/finished_job_ttl", -1, ""},
      {"/pod_watch_timeout_seconds", 0, ""},
      {"/image_pull_secrets", {kRunSecret}, "image_pull_secrets"},
      {"/env", {{"1A", "x"}}, "env.1A"},
      {"/env", {{"FOREBAY_RUN_ID", "x"}}, "env.FOREBAY_RUN_ID"},
      {"/comand", {"x"}, "comand"},
      {"/image", "x", "image"},
  };
  for (const BadField& one : bad) {
    const Json configuration = With(one.pointer, one.value);
    INFO(one.pointer << " = " << DumpJson(one.value));
    const auto refused = TypeKubernetesSpec(configuration).status();
    INFO(refused.ToString());
    CHECK(ReasonOf(refused) == "INVALID_JOB");
    CHECK(FieldOf(refused) == (one.field.empty() ? Dotted(one.pointer) : one.field));
  }
}

TEST_CASE("No way leads to the Secret of another run", "[kubernetes]") {
  const std::string pod = kPod, main = kMain;
  const std::pair<std::string, Json> ways[] = {
      {pod + "/volumes", {{{"name", "v"}, {"secret", {{"secretName", kRunSecret}}}}}},
      {pod + "/volumes",
       {{{"name", "v"}, {"projected", {{"sources", {{{"secret", {{"name", kRunSecret}}}}}}}}}}},
      {pod + "/volumes",
       {{{"name", "v"},
         {"csi", {{"driver", "d"}, {"nodePublishSecretRef", {{"name", kRunSecret}}}}}}}},
      {pod + "/volumes", {{{"name", "v"}, {"cephfs", {{"secretRef", {{"name", kRunSecret}}}}}}}},
      {main + "/env",
       {{{"name", "A"}, {"valueFrom", {{"secretKeyRef", {{"name", kRunSecret}, {"key", "k"}}}}}}}},
      {main + "/envFrom", {{{"secretRef", {{"name", kRunSecret}}}}}},
      {pod + "/imagePullSecrets", {{{"name", kRunSecret}}}},
      {pod + "/initContainers",
       {{{"name", "i"}, {"image", "a"}, {"envFrom", {{{"secretRef", {{"name", kRunSecret}}}}}}}}},
  };
  for (const auto& [pointer, value] : ways) {
    INFO(pointer << " = " << DumpJson(value));
    CHECK(ReasonOf(TypeKubernetesSpec(With(pointer, value)).status()) == "INVALID_JOB");
  }
}

TEST_CASE("An unknown field is named with its nearest", "[kubernetes]") {
  const auto refused =
      TypeKubernetesSpec(With(std::string(kMain) + "/securityContext/priviledged", true)).status();
  CHECK(FieldOf(refused) == Dotted(std::string(kMain) + "/securityContext/priviledged"));
  CHECK(DetailOf(refused)->metadata.at("nearest") == "privileged");
}

TEST_CASE("A request that is more than its limit is refused before the cluster does",
          "[kubernetes]") {
  const auto refused =
      TypeKubernetesSpec(Rendered({{"cpu_request", "1500m"}, {"cpu_limit", 1}})).status();
  CHECK(FieldOf(refused) == Dotted(std::string(kMain) + "/resources/requests/cpu"));
  CHECK(TypeKubernetesSpec(Rendered({{"cpu_request", "1000m"}, {"cpu_limit", 1}})).ok());
}

TEST_CASE("What the Pod may use is that of all its containers", "[kubernetes]") {
  Json configuration = Rendered({{"cpu_limit", "500m"}, {"memory_limit", "1Gi"}});
  const Json side = {{"name", "side"},
                     {"image", "a"},
                     {"resources", {{"limits", {{"cpu", 1}, {"memory", "1Gi"}}}}}};
  configuration[Json::json_pointer(kPod)]["containers"].push_back(side);
  auto spec = FinalSpec("kubernetes", configuration);
  REQUIRE(spec.ok());
  CHECK((*spec)["cpu_limit"] == 1.5);
  CHECK((*spec)["memory_limit"] == 2LL << 30);
  CHECK((*spec)["cpu_request"] == 1.5);
  Json init = side;
  init["name"] = "init";
  init["resources"]["limits"]["cpu"] = 4;
  configuration[Json::json_pointer(kPod)]["initContainers"] = Json::array({init});
  spec = FinalSpec("kubernetes", configuration);
  CHECK((*spec)["cpu_limit"] == 4.0);
  configuration[Json::json_pointer(kPod)]["initContainers"][0]["restartPolicy"] = "Always";
  spec = FinalSpec("kubernetes", configuration);
  CHECK((*spec)["cpu_limit"] == 5.5);
  CHECK((*spec)["containers"] == Json{"main", "side", "sidecar:init"});
  configuration[Json::json_pointer(kPod)]["containers"][1].erase("resources");
  spec = FinalSpec("kubernetes", configuration);
  CHECK_FALSE(spec->contains("cpu_limit"));
}

Json Asking(const char* name, const char* cpu, const char* restart_policy = "") {
  Json container = {{"name", name}, {"resources", {{"requests", {{"cpu", cpu}}}}}};
  if (*restart_policy != '\0') container["restartPolicy"] = restart_policy;
  return container;
}

TEST_CASE("What is set aside for a Pod is what its scheduler counts", "[kubernetes]") {
  Json pod = {{"containers", {Asking("main", "300m"), Asking("beside", "0.2")}}};
  CHECK(RequestsOfPod(pod).cpu.Millis() == 500);
  CHECK(RequestsOfPod(pod).memory.Whole() == 0);
  // Init containers run one after another, beside the sidecars that began before them.
  pod["initContainers"] = {Asking("first", "700m"), Asking("side", "100m", "Always"),
                           Asking("second", "650m")};
  CHECK(RequestsOfPod(pod).cpu.Millis() == 750);
  pod["initContainers"].erase(2);
  CHECK(RequestsOfPod(pod).cpu.Millis() == 700);
  pod["overhead"] = {{"cpu", "10m"}, {"memory", "1Ki"}};
  CHECK(RequestsOfPod(pod).cpu.Millis() == 710);
  CHECK(RequestsOfPod(pod).memory.Whole() == 1024);
  pod["resources"] = {{"requests", {{"cpu", "2"}}}};
  CHECK(RequestsOfPod(pod).cpu.Millis() == 2010);
  CHECK(RequestsOfPod(Json::object()).cpu.Millis() == 0);
}

TEST_CASE("A denial says who set what stands deep in the manifest", "[kubernetes]") {
  const auto job_template = JobTemplate::Parse(DefaultJobTemplate("kubernetes"));
  const auto policy = Policy::Parse(
      "kubernetes",
      R"({"rules":[{"field":"image","allow":["docker.io/acme/**"]},{"field":"cpu_limit","max":1},
                   {"field":"env","deny":["AWS_*"]},{"field":"service_account","allow":["robot"]}]})");
  REQUIRE(policy.ok());
  const auto job = PlanJob("kubernetes", *job_template, {{"cpu_limit", 2}},
                           {{"image", "evil/app"}, {"env", {{"AWS_KEY", "x"}}}});
  REQUIRE(job.ok());
  std::map<std::string, std::string> set_by;
  for (const Denial& denial : policy->Check(job->final_spec, job->origins)) {
    set_by[denial.field] = denial.set_by;
  }
  CHECK(set_by == std::map<std::string, std::string>{{"/image/0", "run"},
                                                     {"/cpu_limit", "deployment"},
                                                     {"/env/AWS_KEY", "run"},
                                                     {"/service_account", "launcher"}});
}

// Whether a policy of this one rule lets the good job with `value` at the pointer through.
bool Allows(const std::string& rule, const std::string& pointer, Json value) {
  const auto policy = Policy::Parse("kubernetes", R"({"rules":[)" + rule + "]}");
  INFO(policy.status().ToString());
  REQUIRE(policy.ok());
  const auto spec = FinalSpec("kubernetes", With(pointer, std::move(value)));
  INFO(spec.status().ToString());
  REQUIRE(spec.ok());
  return policy->Check(*spec, {}).empty();
}

TEST_CASE("Rules are about every container, and about what is not said", "[kubernetes]") {
  const std::string pod = kPod, main = kMain;
  const Json side = {{{"name", "side"}, {"image", "a@sha256:" + std::string(64, 'a')}}};
  // The main container has no digest.
  CHECK_FALSE(Allows(R"({"field":"image","require_digest":true})", pod + "/initContainers", side));
  CHECK(Allows(R"({"field":"containers","allow":["main"]})", "/namespace", "x"));
  CHECK_FALSE(Allows(R"({"field":"containers","allow":["main"]})", pod + "/initContainers", side));
  // Its image decides who the side container runs as, and nothing its profile.
  CHECK_FALSE(Allows(R"({"field":"run_as_user","allow":["1000"]})", "/namespace", "x"));
  CHECK(Allows(R"({"field":"run_as_user","allow":["1000"]})", main + "/securityContext/runAsUser",
               1000));
  CHECK(Allows(R"({"field":"seccomp_profile","allow":["RuntimeDefault"]})", "/namespace", "x"));
  CHECK_FALSE(Allows(R"({"field":"seccomp_profile","allow":["RuntimeDefault"]})",
                     pod + "/securityContext/seccompProfile", nullptr));
  CHECK(Allows(R"({"field":"cap_drop","include":["ALL"]})", "/namespace", "x"));
  CHECK_FALSE(Allows(R"({"field":"cap_drop","include":["ALL"]})", pod + "/initContainers", side));
  CHECK_FALSE(Allows(R"({"field":"memory_limit","max":"1g"})", "/namespace", "x"));
  CHECK(Allows(R"({"field":"memory_limit","max":"1g"})", main + "/resources/limits/memory", "1Gi"));
  CHECK_FALSE(Allows(R"({"field":"memory_limit","max":"1g"})", main + "/resources/limits/memory",
                     "1025Mi"));
  // A request that is not there is none, and no more than any maximum.
  CHECK(Allows(R"({"field":"cpu_request","max":1})", "/namespace", "x"));
  CHECK_FALSE(Allows(R"({"field":"cpu_request","min":0.1})", "/namespace", "x"));
  CHECK(Allows(R"({"field":"other","allow":[]})", "/namespace", "x"));
  CHECK_FALSE(Allows(R"({"field":"other","allow":[]})", pod + "/affinity", Json::object()));
}

TEST_CASE("Names are those that Kubernetes takes", "[kubernetes]") {
  CHECK(IsDnsLabel("a"));
  CHECK(IsDnsLabel("a-1"));
  CHECK(IsDnsLabel(std::string(63, 'a')));
  for (const auto& bad : {std::string(), std::string("-a"), std::string("a-"), std::string("A"),
                          std::string("a.b"), std::string(64, 'a'), std::string("a\n")}) {
    CHECK_FALSE(IsDnsLabel(bad));
  }
  CHECK(IsMarkName("app.kubernetes.io/name"));
  CHECK(IsMarkName("Team_1.x"));
  for (const char* bad : {"", "/", "a/", "/a", "A.b/c", "a b", "a/b/c", "-a", "a-"}) {
    INFO(bad);
    CHECK_FALSE(IsMarkName(bad));
  }
  CHECK(IsRunObjectName(kRunSecret));
  CHECK_FALSE(IsRunObjectName("forebay-credentials"));
  CHECK(IsVariableName("_A.b-1"));
  CHECK_FALSE(IsVariableName("1A"));
}

}  // namespace
}  // namespace forebay
