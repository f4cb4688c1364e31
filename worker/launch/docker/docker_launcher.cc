#include "worker/launch/docker/docker_launcher.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/obs/log.h"
#include "common/os/files.h"
#include "worker/launch/docker/container_state.h"
#include "worker/launch/docker/labels.h"
#include "worker/launch/docker/registry_credentials.h"
#include "worker/launch/docker/usage.h"
#include "worker/launch/launch_error.h"

namespace forebay::worker {
namespace {

constexpr char kCgroupRoot[] = "/sys/fs/cgroup";
constexpr absl::Duration kKillAgain = absl::Seconds(1);

Json LabelsOf(const Json& container) {
  const auto config = container.find("Config");
  if (config == container.end() || !config->is_object()) return Json();
  return config->value("Labels", Json());
}

std::string NameOf(const Json& listed) {
  const auto names = listed.find("Names");
  if (names == listed.end() || !names->is_array() || names->empty()) return "";
  const std::string name = names->front().get<std::string>();
  return name.starts_with('/') ? name.substr(1) : name;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Launcher>> MakeDockerLauncher(LauncherOptions options) {
  ASSIGN_OR_RETURN(auto engine, EngineApi::Make(options.engine));
  auto launcher = std::make_unique<DockerLauncher>(std::move(options), std::move(engine));
  RETURN_IF_ERROR(launcher->MakeDirectories());
  return launcher;
}

DockerLauncher::DockerLauncher(LauncherOptions options, std::unique_ptr<EngineApi> engine)
    : options_(std::move(options)),
      engine_(std::move(engine)),
      graces_(clock_, [this](const std::string& name) { EndByForce(name); }),
      watch_(*engine_, {[this](const std::string& name) { Changed(name); },
                        [this](const Json& info) { EngineConnected(info); },
                        [this] {
                          if (options_.readiness_changed) options_.readiness_changed();
                        }}) {}

DockerLauncher::~DockerLauncher() = default;

absl::Status DockerLauncher::MakeDirectories() {
  RETURN_IF_ERROR(forebay::MakeDirectories(options_.state_dir + "/output"));
  return forebay::MakeDirectories(options_.state_dir + "/kept");
}

void DockerLauncher::SetPool(const std::string& pool_uid) {
  {
    MutexLock lock(mutex_);
    if (pool_uid_ == pool_uid) return;
    pool_uid_ = pool_uid;
  }
  watch_.Start(PoolLabel());
}

std::string DockerLauncher::PoolLabel() {
  MutexLock lock(mutex_);
  return fmt::format("{}={}", kPoolIdLabel, pool_uid_);
}

std::string DockerLauncher::OutputPath(const std::string& name) const {
  return options_.state_dir + "/output/" + name;
}

std::string DockerLauncher::KeptPath(const std::string& name) const {
  return options_.state_dir + "/kept/" + name;
}

void DockerLauncher::Changed(const std::string& name) const {
  if (options_.changed) options_.changed(name);
}

void DockerLauncher::EngineConnected(const Json& info) {
  std::vector<std::string> names;
  {
    MutexLock lock(mutex_);
    keeps_cgroups_ = engine_->local() && info.value("CgroupDriver", "") == "cgroupfs" &&
                     CanKeepCgroups(kCgroupRoot);
    for (const auto& [name, container] : containers_) names.push_back(name);
  }
  for (const std::string& name : names) Changed(name);
}

DockerLauncher::ContainerPtr DockerLauncher::Known(const std::string& name) {
  MutexLock lock(mutex_);
  const auto found = containers_.find(name);
  return found == containers_.end() ? nullptr : found->second;
}

DockerLauncher::ContainerPtr DockerLauncher::MakeContainer(const std::string& name) {
  auto log = std::make_unique<ContainerLog>(
      *engine_, OutputPath(name),
      output::LogLimits{options_.log_rate_bytes, options_.log_burst_bytes},
      [this, name] { Changed(name); });
  return std::make_shared<Container>(name, std::move(log));
}

DockerLauncher::ContainerPtr DockerLauncher::TakeUp(const std::string& name,
                                                    const Json& container) {
  MutexLock lock(mutex_);
  ContainerPtr& known = containers_[name];
  if (known != nullptr) return known;
  known = MakeContainer(name);
  const Json labels = LabelsOf(container);
  const absl::Status opened =
      known->log().Open(ParseInt(LabelOf(labels, kPreparationLinesLabel)).value_or(0));
  if (!opened.ok()) spdlog::warn("{}: its output cannot be kept: {}", name, MessageOf(opened));
  if (!opened.ok() || LabelOf(labels, kStreamOutputLabel) == "false") known->log().SetComplete();
  return known;
}

DockerLauncher::ContainerPtr DockerLauncher::Forget(const std::string& name) {
  MutexLock lock(mutex_);
  const auto node = containers_.extract(name);
  return node.empty() ? nullptr : node.mapped();
}

void DockerLauncher::EndByForce(const std::string& name) {
  const absl::Status killed = engine_->KillContainer(name, "SIGKILL");
  // An engine that is away comes back, and what was to end still is.
  if (!killed.ok()) graces_.Arm(name, kKillAgain);
  Changed(name);
}

absl::Status DockerLauncher::Launch(const LaunchSpec& launch) {
  ASSIGN_OR_RETURN(const DockerSpec spec, TypeDockerSpec(launch.configuration));
  // What cannot be said to the engine is known before an image is pulled for it.
  RETURN_IF_ERROR(CreateRequest(launch, spec, {}).status());
  RETURN_IF_ERROR(NotReadyNow(watch_.Ready()));
  if (Known(launch.name) != nullptr) return absl::OkStatus();
  const auto existing = engine_->InspectContainer(launch.name);
  if (existing.ok()) {
    TakeUp(launch.name, *existing);
    return absl::OkStatus();
  }
  if (!absl::IsNotFound(existing.status())) return existing.status();
  return Begin(launch, spec);
}

absl::Status DockerLauncher::Begin(const LaunchSpec& launch, const DockerSpec& spec) {
  const ContainerPtr container = MakeContainer(launch.name);
  RETURN_IF_ERROR(container->log().Open(0));
  if (!spec.stream_output) container->log().SetComplete();
  {
    MutexLock lock(mutex_);
    containers_[launch.name] = container;
  }
  container->Prepare(
      [this, raw = container.get(), launch, spec](Cancellation& cancellation) {
        return PrepareInto(*raw, launch, spec, cancellation);
      },
      [this, name = launch.name] { Changed(name); });
  return absl::OkStatus();
}

absl::Status DockerLauncher::PrepareInto(Container& container, const LaunchSpec& launch,
                                         const DockerSpec& spec, Cancellation& cancellation) {
  std::string auth;
  if (!spec.registry_credentials.empty()) {
    ASSIGN_OR_RETURN(
        auth, RegistryAuth(options_.engine.registry_credentials_file, spec.registry_credentials));
  }
  CreateContext context;
  {
    MutexLock lock(mutex_);
    context.pool_uid = pool_uid_;
    if (keeps_cgroups_) context.cgroup_parent = CgroupOf(launch.name);
  }
  const PreparationParts parts{*engine_, clock_, auth,
                               [this, &container](std::string_view line) {
                                 container.log().Say(line, absl::ToUnixMicros(clock_.Now()));
                               },
                               [&container] { return static_cast<int>(container.log().lines()); }};
  return Prepare(parts, launch, spec, context, cancellation);
}

absl::Status DockerLauncher::Go(const std::string& name) {
  ASSIGN_OR_RETURN(const Json found, engine_->InspectContainer(name));
  const ContainerPtr container = TakeUp(name, found);
  // A container that has ended would be begun a second time.
  if (HasBegun(found) || container->forbidden()) return absl::OkStatus();
  const absl::Status started = engine_->StartContainer(name);
  if (ReasonOf(started) == "INFRASTRUCTURE_UNAVAILABLE") return started;
  if (started.ok()) container->log().Follow(name);
  // Why it could not begin stands in the container's state.
  if (!started.ok()) Changed(name);
  return absl::OkStatus();
}

absl::Status DockerLauncher::Stop(const std::string& name, absl::Duration grace) {
  const ContainerPtr known = Known(name);
  if (known != nullptr && known->preparing()) {
    known->CancelPreparation();
    return absl::OkStatus();
  }
  const auto found = engine_->InspectContainer(name);
  if (absl::IsNotFound(found.status())) return absl::OkStatus();
  RETURN_IF_ERROR(found.status());
  const Observation seen = ObservationOf(*found);
  if (seen.stage == Stage::kWaiting) {
    TakeUp(name, *found)->Forbid();
    Changed(name);
  }
  if (seen.stage != Stage::kStarted) return absl::OkStatus();
  graces_.Arm(name, grace);
  if (grace <= absl::ZeroDuration()) return absl::OkStatus();
  return engine_->KillContainer(name, "SIGTERM");
}

absl::StatusOr<Observation> DockerLauncher::Observe(const std::string& name) {
  const ContainerPtr known = Known(name);
  if (known == nullptr) return ObserveEngine(name);
  Observation seen;
  seen.log_lines = known->log().lines();
  if (known->preparing()) {
    seen.stage = Stage::kPreparing;
    return seen;
  }
  if (auto failure = known->failure()) {
    seen.stage = Stage::kExited;
    seen.exit = *std::move(failure);
    seen.log_lines = known->log().lines();
    return seen;
  }
  return ObserveEngine(name);
}

absl::StatusOr<Observation> DockerLauncher::ObserveEngine(const std::string& name) {
  const auto found = engine_->InspectContainer(name);
  if (absl::IsNotFound(found.status())) return NoSuch("container", name);
  RETURN_IF_ERROR(found.status());
  const ContainerPtr container = TakeUp(name, *found);
  Observation seen = ObservationOf(*found);
  if (seen.stage == Stage::kWaiting && container->forbidden()) {
    seen.stage = Stage::kExited;
    seen.exit.reason = "NEVER_STARTED";
    seen.exit.message = "stopped before user code began";
  } else if (HasBegun(*found)) {
    container->log().Follow(name);
    if (seen.stage == Stage::kExited) {
      graces_.Disarm(name);
      // Its end is told when its output is known to the last line.
      if (!container->log().complete()) seen.stage = Stage::kStarted;
      AddUsage(name, seen.exit);
    }
  }
  seen.log_lines = container->log().lines();
  return seen;
}

void DockerLauncher::AddUsage(const std::string& name, ExitRecord& end) const {
  const auto usage = ReadUsage(kCgroupRoot, name);
  if (!usage.has_value()) return;
  end.cpu_user_micros = usage->cpu_user_micros;
  end.cpu_system_micros = usage->cpu_system_micros;
  end.max_rss_bytes = usage->peak_memory_bytes;
}

absl::StatusOr<std::vector<v1::LogEntry>> DockerLauncher::ReadLog(const std::string& name,
                                                                  int64_t from, int most_lines,
                                                                  size_t most_bytes) {
  const ContainerPtr known = Known(name);
  if (known == nullptr) return NoSuch("container", name);
  return log_tail_.Read(known->log().path(), from, most_lines, most_bytes);
}

std::vector<std::string> DockerLauncher::Find() {
  std::vector<std::string> found;
  {
    MutexLock lock(mutex_);
    if (pool_uid_.empty()) return found;
  }
  const auto listed = engine_->ListContainers(PoolLabel());
  if (!listed.ok() || !listed->is_array()) return found;
  std::vector<std::string> existing;
  for (const Json& container : *listed) {
    const std::string name = NameOf(container);
    if (!ParseInfrastructureName(name).has_value()) continue;
    existing.push_back(name);
    if (!FileExists(KeptPath(name))) found.push_back(name);
  }
  ForgetKeptOnesBut(existing);
  return found;
}

void DockerLauncher::ForgetKeptOnesBut(const std::vector<std::string>& existing) {
  const auto kept = ListDirectory(options_.state_dir + "/kept");
  if (!kept.ok()) return;
  for (const std::string& name : *kept) {
    if (std::ranges::count(existing, name) == 0) (void)RemoveTree(KeptPath(name));
  }
}

bool DockerLauncher::StaysAfterwards(const Json& container) const {
  return HasEnded(container) && LabelOf(LabelsOf(container), kKeepLabel) == "true";
}

absl::Status DockerLauncher::Remove(const std::string& name) {
  if (const ContainerPtr known = Known(name); known != nullptr && known->preparing()) {
    known->CancelPreparation();
    known->WaitForPreparation();
  }
  // What this process knows goes in any case; a container that cannot be removed now is found
  // again.
  graces_.Disarm(name);
  Forget(name);
  log_tail_.Forget(OutputPath(name));
  RETURN_IF_ERROR(RemoveTree(OutputPath(name)));
  const auto found = engine_->InspectContainer(name);
  if (found.ok() && StaysAfterwards(*found)) {
    RETURN_IF_ERROR(WriteFileAtomically(KeptPath(name), ""));
  } else if (!absl::IsNotFound(found.status())) {
    RETURN_IF_ERROR(engine_->RemoveContainer(name));
  }
  RemoveCgroup(kCgroupRoot, name);
  return absl::OkStatus();
}

}  // namespace forebay::worker
