#pragma once

// Stage 5: runs as containers of an engine that speaks Docker's API.
//
// What must survive the worker is in the engine: a container by its name and labels, its output and
// its end. On the worker's disk, below the state directory: `output/<name>`, the output read so
// far, which can be read again; `kept/<name>`, which says that an ended container is nobody's
// concern any more but stays, because its job asked for that.
//
// Threads: one for the engine's events, one for graces, one for each container whose output is
// followed, and one for each that is prepared; so as many as the worker has slots, twice at most.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/sync.h"
#include "worker/launch/docker/container.h"
#include "worker/launch/docker/engine_watch.h"
#include "worker/launch/docker/grace_timer.h"
#include "worker/launch/launcher.h"
#include "worker/launch/output/log_tail.h"

namespace forebay::worker {

class DockerLauncher final : public Launcher {
 public:
  DockerLauncher(LauncherOptions options, std::unique_ptr<EngineApi> engine);
  ~DockerLauncher() override;

  std::string type() const override { return "docker"; }
  // They wait for the engine.
  int concurrency() const override { return 16; }
  void SetPool(const std::string& pool_uid) override;
  absl::Status Ready() override { return watch_.Ready(); }
  absl::Status Launch(const LaunchSpec& spec) override;
  absl::Status Go(const std::string& name) override;
  absl::Status Stop(const std::string& name, absl::Duration grace) override;
  absl::StatusOr<Observation> Observe(const std::string& name) override;
  absl::StatusOr<std::vector<v1::LogEntry>> ReadLog(const std::string& name, int64_t from,
                                                    int most_lines, size_t most_bytes) override;
  std::vector<std::string> Find() override;
  absl::Status Remove(const std::string& name) override;

  absl::Status MakeDirectories();

 private:
  using ContainerPtr = std::shared_ptr<Container>;

  std::string PoolLabel();
  std::string OutputPath(const std::string& name) const;
  std::string KeptPath(const std::string& name) const;

  // Null when this process does not know it.
  ContainerPtr Known(const std::string& name);
  // The one of this name; takes up, with its output, one that the engine has.
  ContainerPtr TakeUp(const std::string& name, const Json& container);
  ContainerPtr MakeContainer(const std::string& name);
  ContainerPtr Forget(const std::string& name);
  absl::Status Begin(const LaunchSpec& launch, const DockerSpec& spec);
  absl::Status PrepareInto(Container& container, const LaunchSpec& launch, const DockerSpec& spec,
                           Cancellation& cancellation);

  void EndByForce(const std::string& name);
  absl::StatusOr<Observation> ObserveEngine(const std::string& name);
  void AddUsage(const std::string& name, ExitRecord& end) const;
  bool StaysAfterwards(const Json& container) const;
  void ForgetKeptOnesBut(const std::vector<std::string>& existing);
  void EngineConnected(const Json& info);
  void Changed(const std::string& name) const;

  const LauncherOptions options_;
  const std::unique_ptr<EngineApi> engine_;
  const Clock& clock_ = SystemClock();
  LogTail log_tail_;
  Mutex mutex_;
  std::string pool_uid_ GUARDED_BY(mutex_);
  bool keeps_cgroups_ GUARDED_BY(mutex_) = false;
  std::map<std::string, ContainerPtr> containers_ GUARDED_BY(mutex_);
  GraceTimer graces_;
  // Last: its thread uses the others.
  EngineWatch watch_;
};

// INVALID_ARGUMENT (INVALID_ENGINE_ADDRESS). An engine that cannot be reached is no error here:
// Ready tells.
absl::StatusOr<std::unique_ptr<Launcher>> MakeDockerLauncher(LauncherOptions options);

}  // namespace forebay::worker
