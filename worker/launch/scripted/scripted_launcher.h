#pragma once

// The launcher of scripted pools: runs that do what their job variables say and touch nothing. For
// trying out pools, queues and limits with thousands of runs, and for testing what stands above a
// launcher.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "common/base/clock.h"
#include "common/base/sync.h"
#include "worker/launch/launcher.h"
#include "worker/launch/scripted/script.h"

namespace forebay::worker {

absl::StatusOr<std::unique_ptr<Launcher>> MakeScriptedLauncher(LauncherOptions options);

// Everything is in memory and ends with this object. One thread moves all runs on.
class ScriptedLauncher final : public Launcher {
 public:
  ScriptedLauncher(LauncherOptions options, const Clock& clock);
  ~ScriptedLauncher() override;

  std::string type() const override { return "scripted"; }
  absl::Status Launch(const LaunchSpec& spec) override;
  absl::Status Go(const std::string& name) override;
  absl::Status Stop(const std::string& name, absl::Duration grace) override;
  absl::StatusOr<Observation> Observe(const std::string& name) override;
  absl::StatusOr<std::vector<v1::LogEntry>> ReadLog(const std::string& name, int64_t from,
                                                    int most_lines, size_t most_bytes) override;
  std::vector<std::string> Find() override;
  absl::Status Remove(const std::string& name) override;

 private:
  struct Run {
    Script script;
    Stage stage = Stage::kWaiting;
    ExitRecord exit;
    bool go = false;
    // Nothing before this: the launch takes its time.
    absl::Duration ready_at;
    // Set when started.
    std::optional<absl::Duration> ends_at;
    absl::Time started;
    bool stop = false;
    absl::Duration force_at = absl::InfiniteDuration();
    // Its entry in due_.
    absl::Duration due_at = absl::InfiniteDuration();

    bool began() const { return ends_at.has_value(); }
    int64_t lines() const { return began() ? script.lines() : 0; }
  };

  void Loop();
  // Runs whose time has come; moved on.
  std::vector<std::string> MoveOnDue(absl::Duration now) REQUIRES(mutex_);
  void MoveOn(Run& run, absl::Duration now) const;
  static absl::Duration NextEvent(const Run& run);
  void Schedule(const std::string& name, Run& run, absl::Duration at) REQUIRES(mutex_);
  absl::StatusOr<Run*> FindRun(const std::string& name) REQUIRES(mutex_);

  const LauncherOptions options_;
  const Clock& clock_;
  Mutex mutex_;
  CondVar wake_;
  bool ending_ GUARDED_BY(mutex_) = false;
  std::map<std::string, Run> runs_ GUARDED_BY(mutex_);
  std::set<std::pair<absl::Duration, std::string>> due_ GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace forebay::worker
