#pragma once

// The launcher of process pools: each run is a process of this host under a holder of its own
// (process/holder), which keeps its output and its end on disk and outlives the worker.

#include <memory>
#include <string>
#include <vector>

#include "common/base/sync.h"
#include "worker/launch/launcher.h"
#include "worker/launch/output/log_tail.h"
#include "worker/launch/process/observer.h"
#include "worker/launch/process/process_spec.h"
#include "worker/launch/process/run_directory.h"

namespace forebay::worker {

// Finds the holder program and connects to the holders that live in the state directory. One
// launcher at a time for a state directory.
absl::StatusOr<std::unique_ptr<Launcher>> MakeProcessLauncher(LauncherOptions options);

class ProcessLauncher final : public Launcher {
 public:
  ProcessLauncher(LauncherOptions options, std::string holder_program);

  // Makes what it needs and adopts; called once, before anything else.
  absl::Status Start();

  std::string type() const override { return "process"; }
  absl::Status Launch(const LaunchSpec& spec) override;
  absl::Status Go(const std::string& name) override;
  absl::Status Stop(const std::string& name, absl::Duration grace) override;
  absl::StatusOr<Observation> Observe(const std::string& name) override;
  absl::StatusOr<std::vector<v1::LogEntry>> ReadLog(const std::string& name, int64_t from,
                                                    int most_lines, size_t most_bytes) override;
  std::vector<std::string> Find() override;
  absl::Status Remove(const std::string& name) override;

 private:
  RunDirectory DirectoryOf(const std::string& name) const { return {runs_, name}; }
  void Adopt(const std::string& name);
  absl::Status LaunchInto(const RunDirectory& directory, const LaunchSpec& launch,
                          const ProcessSpec& spec, UniqueFd lock);
  absl::StatusOr<holder::HolderSpec> HolderSpecOf(const RunDirectory& directory,
                                                  const LaunchSpec& launch,
                                                  const ProcessSpec& spec) const;
  // OK also when the run is over.
  absl::Status Say(const RunDirectory& directory, const holder::Command& command);
  static bool HasHolder(const RunDirectory& directory);
  bool Reconnect(const RunDirectory& directory);
  // Whether a holder lives there; connects to it if it does and is not connected.
  bool Alive(const RunDirectory& directory);
  absl::StatusOr<Observation> Ended(const RunDirectory& directory);
  absl::StatusOr<Observation> Lost(const RunDirectory& directory, const holder::Status& status);
  absl::Status EndByForce(const RunDirectory& directory);

  const LauncherOptions options_;
  const std::string holder_program_;
  const std::string runs_;
  Observer observer_;
  LogTail log_tail_;
};

}  // namespace forebay::worker
