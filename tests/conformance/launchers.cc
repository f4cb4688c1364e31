#include "tests/conformance/launchers.h"

#include <fmt/format.h>

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

bool IsProcess(const LauncherKind& kind) { return kind.type == "process"; }

Json Shell(const std::string& script) { return {{"command", {"/bin/sh", "-c", script}}}; }

std::string NewRunId() {
  static UuidSource source(SystemClock(), SystemRandom());
  return source.Next().ToString();
}

}  // namespace

const std::vector<LauncherKind>& AllLaunchers() {
  static const auto* const kinds =
      new std::vector<LauncherKind>{{"process", true}, {"scripted", false}};
  return *kinds;
}

Json ExitsWith(const LauncherKind& kind, int code) {
  if (IsProcess(kind)) return Shell(fmt::format("exit {}", code));
  return {{"exit_code", code}};
}

Json EndsBySignal(const LauncherKind& kind, int signal) {
  if (IsProcess(kind)) return Shell(fmt::format("kill -{} $$", signal));
  return {{"signal", signal}};
}

Json Writes(const LauncherKind& kind, int64_t count) {
  if (IsProcess(kind)) return Shell(fmt::format("seq -f 'line %.0f' {}", count));
  return {{"output_lines", count}};
}

Json RunsLong(const LauncherKind& kind) {
  if (IsProcess(kind)) return Shell("echo ready; exec sleep 600");
  return {{"duration_ms", kMinutesMillis}, {"output_lines", 1}};
}

Json IgnoresStop(const LauncherKind& kind) {
  if (IsProcess(kind)) return Shell("trap '' TERM; echo ready; while :; do sleep 600; done");
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
    : type_(kind.type), options_(std::move(options)) {
  options_.state_dir = scratch_.path();
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
}

LaunchSpec Fixture::Spec(const Json& configuration) {
  LaunchSpec spec;
  spec.run = {NewRunId(), 1};
  spec.name = InfrastructureName(spec.run.run_id, spec.run.attempt);
  spec.configuration = configuration;
  spec.environment = {{"FOREBAY_PARAMETERS", "{}"}};
  spec.cancel_grace = absl::Seconds(30);
  return spec;
}

std::string Fixture::Begin(const Json& configuration) {
  const LaunchSpec spec = Spec(configuration);
  const absl::Status launched = launcher_->Launch(spec);
  INFO(launched.ToString());
  REQUIRE(launched.ok());
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
    return seen.log_lines >= lines;
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
  for (const v1::LogEntry& entry : Log(name)) lines.push_back(entry.text());
  return lines;
}

Observation Fixture::RunToEnd(const Json& configuration, std::string* name) {
  const std::string begun = Begin(configuration);
  if (name != nullptr) *name = begun;
  return WaitForStage(begun, Stage::kExited);
}

}  // namespace forebay::worker
