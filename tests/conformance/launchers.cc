#include "tests/conformance/launchers.h"

#include <fmt/format.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <thread>

#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/uuid.h"

namespace forebay::worker {
namespace {

constexpr int64_t kMinutesMillis = 600'000;
constexpr absl::Duration kPatience = absl::Seconds(30);
constexpr std::chrono::milliseconds kLookAgain(2);

bool IsScripted(const LauncherKind& kind) { return kind.type == "scripted"; }
bool IsDocker(const LauncherKind& kind) { return kind.type == "docker"; }
bool IsKubernetes(const LauncherKind& kind) { return kind.type == "kubernetes"; }
bool IsContainer(const LauncherKind& kind) { return IsDocker(kind) || IsKubernetes(kind); }

const char* EngineAddress() { return std::getenv("FOREBAY_TEST_DOCKER"); }
const char* Kubeconfig() { return std::getenv("FOREBAY_TEST_KUBECONFIG"); }

// As the template of the pool renders it, restricted as far as Pod Security can.
Json KubernetesJob(const Json& command) {
  const char* image = std::getenv("FOREBAY_TEST_KUBERNETES_IMAGE");
  const Json container = {
      {"name", "main"},
      {"image", image == nullptr ? "forebay-test/busybox:1" : image},
      {"imagePullPolicy", image == nullptr ? "Never" : "IfNotPresent"},
      {"securityContext",
       {{"allowPrivilegeEscalation", false}, {"capabilities", {{"drop", {"ALL"}}}}}}};
  const Json pod = {{"restartPolicy", "Never"},
                    {"automountServiceAccountToken", false},
                    {"securityContext",
                     {{"runAsNonRoot", true},
                      {"runAsUser", 1000},
                      {"seccompProfile", {{"type", "RuntimeDefault"}}}}},
                    {"containers", Json::array({container})}};
  const char* name_space = std::getenv("FOREBAY_TEST_KUBERNETES_NAMESPACE");
  return {{"command", command},
          {"namespace", name_space == nullptr ? "default" : name_space},
          {"job_manifest",
           {{"apiVersion", "batch/v1"},
            {"kind", "Job"},
            {"spec", {{"backoffLimit", 0}, {"template", {{"spec", pod}}}}}}}};
}

Json Shell(const LauncherKind& kind, const std::string& script) {
  Json job = {{"command", {"/bin/sh", "-c", script}}};
  if (IsKubernetes(kind)) return KubernetesJob(job["command"]);
  if (!IsDocker(kind)) return job;
  job["image"] = "forebay-test/busybox:1";
  job["image_pull_policy"] = "Never";
  job["network_mode"] = "none";
  job["auto_remove"] = true;
  return job;
}

std::string NewRunId() {
  static UuidSource source(SystemClock(), SystemRandom());
  return source.Next().ToString();
}

}  // namespace

const std::vector<LauncherKind>& AllLaunchers() {
  static const auto* const kinds = [] {
    auto* all = new std::vector<LauncherKind>{{"process", true}, {"scripted", false}};
    if (EngineAddress() != nullptr) all->push_back({"docker", true, true});
    if (Kubeconfig() != nullptr) all->push_back({"kubernetes", true, true, false});
    return all;
  }();
  return *kinds;
}

Json ExitsWith(const LauncherKind& kind, int code) {
  if (!IsScripted(kind)) return Shell(kind, fmt::format("exit {}", code));
  return {{"exit_code", code}};
}

Json EndsBySignal(const LauncherKind& kind, int signal) {
  // The first process of a container cannot be killed from inside.
  if (IsContainer(kind)) {
    return Shell(kind, fmt::format("sh -c 'kill -{} $$'; exit $?", signal));
  }
  if (!IsScripted(kind)) return Shell(kind, fmt::format("kill -{} $$", signal));
  return {{"signal", signal}};
}

Json Writes(const LauncherKind& kind, int64_t count) {
  if (!IsScripted(kind)) {
    return Shell(kind,
                 fmt::format("i=0; while [ $i -lt {} ]; do i=$((i+1)); echo line $i; done", count));
  }
  return {{"output_lines", count}};
}

Json RunsLong(const LauncherKind& kind) {
  // Signals that the first process of a container does not handle are not delivered.
  if (IsContainer(kind)) {
    return Shell(kind, "trap 'exit 143' TERM; echo ready; while :; do sleep 0.1; done");
  }
  if (!IsScripted(kind)) return Shell(kind, "echo ready; exec sleep 600");
  return {{"duration_ms", kMinutesMillis}, {"output_lines", 1}};
}

Json IgnoresStop(const LauncherKind& kind) {
  if (!IsScripted(kind)) {
    return Shell(kind, "trap '' TERM; echo ready; while :; do sleep 600; done");
  }
  return {{"duration_ms", kMinutesMillis}, {"output_lines", 1}, {"ignore_stop", true}};
}

bool Eventually(const std::function<bool()>& done) {
  const absl::Duration end = SystemClock().Monotonic() + kPatience;
  while (!done()) {
    if (SystemClock().Monotonic() > end) return false;
    std::this_thread::sleep_for(kLookAgain);
  }
  return true;
}

Fixture::Fixture(const LauncherKind& kind, LauncherOptions options)
    : type_(kind.type), pool_(NewRunId()), options_(std::move(options)) {
  options_.state_dir = scratch_.path();
  if (EngineAddress() != nullptr) options_.engine.address = EngineAddress();
  if (Kubeconfig() != nullptr) options_.cluster.kubeconfig = Kubeconfig();
  Restart();
}

Fixture::~Fixture() {
  if (launcher_ == nullptr) Restart();
  for (const std::string& name : launcher_->Find()) (void)launcher_->Remove(name);
}

void Fixture::Restart() {
  launcher_.reset();
  auto made = MakeLauncher(type_, options_);
  INFO(made.status().ToString());
  REQUIRE(made.ok());
  launcher_ = *std::move(made);
  launcher_->SetPool(pool_);
}

LaunchSpec Fixture::Spec(const Json& configuration) {
  LaunchSpec spec;
  spec.run = {NewRunId(), 1};
  spec.name = InfrastructureName(spec.run.run_id, spec.run.attempt);
  spec.configuration = configuration;
  spec.environment = {{"FOREBAY_PARAMETERS", "{}"}};
  spec.labels = {{"forebay.io/run-id", spec.run.run_id}};
  spec.cancel_grace = absl::Seconds(30);
  return spec;
}

void Fixture::Launch(const LaunchSpec& spec) {
  const absl::Status launched = launcher_->Launch(spec);
  INFO(launched.ToString());
  REQUIRE(launched.ok());
  WaitForStage(spec.name, Stage::kWaiting);
}

std::string Fixture::Begin(const Json& configuration) {
  const LaunchSpec spec = Spec(configuration);
  Launch(spec);
  REQUIRE(launcher_->Go(spec.name).ok());
  return spec.name;
}

Observation Fixture::WaitForStage(const std::string& name, Stage stage) {
  Observation seen;
  const bool reached = Eventually([&] {
    auto observed = launcher_->Observe(name);
    if (observed.ok()) seen = *observed;
    return observed.ok() && seen.stage >= stage;
  });
  INFO(fmt::format("stage {} of {}: {}", static_cast<int>(seen.stage), name, seen.exit.message));
  REQUIRE(reached);
  return seen;
}

Observation Fixture::WaitForLines(const std::string& name, int64_t lines) {
  Observation seen;
  REQUIRE(Eventually([&] {
    auto observed = launcher_->Observe(name);
    if (observed.ok()) seen = *observed;
    return seen.log_lines >= lines && std::ssize(Text(name)) >= lines;
  }));
  return seen;
}

std::vector<v1::LogEntry> Fixture::Log(const std::string& name, int64_t from) {
  constexpr int kMostLines = 1000;
  constexpr size_t kMostBytes = 1 << 20;
  std::vector<v1::LogEntry> all;
  while (true) {
    auto more =
        launcher_->ReadLog(name, from + static_cast<int64_t>(all.size()), kMostLines, kMostBytes);
    REQUIRE(more.ok());
    if (more->empty()) return all;
    all.insert(all.end(), more->begin(), more->end());
  }
}

std::vector<std::string> Fixture::Text(const std::string& name) {
  std::vector<std::string> lines;
  for (const v1::LogEntry& entry : Log(name)) {
    if (entry.stream() != v1::LOG_STREAM_SYSTEM) lines.push_back(entry.text());
  }
  return lines;
}

int64_t Fixture::LinesInFront(const std::string& name) {
  int64_t lines = 0;
  for (const v1::LogEntry& entry : Log(name)) {
    if (entry.stream() != v1::LOG_STREAM_SYSTEM) break;
    ++lines;
  }
  return lines;
}

Observation Fixture::RunToEnd(const Json& configuration, std::string* name) {
  const std::string begun = Begin(configuration);
  if (name != nullptr) *name = begun;
  return WaitForStage(begun, Stage::kExited);
}

}  // namespace forebay::worker
