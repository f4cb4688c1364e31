#include "worker/launch/scripted/scripted_launcher.h"

#include <signal.h>

#include <algorithm>

#include "common/base/status.h"
#include "common/job_spec/job_fields.h"
#include "worker/launch/launch_error.h"

namespace forebay::worker {
namespace {

ExitRecord Signaled(int signal) {
  ExitRecord exit;
  exit.signal = signal;
  exit.reason = "SIGNALED";
  return exit;
}

ExitRecord Finished(const Script& script) {
  if (script.signal != 0) return Signaled(script.signal);
  ExitRecord exit;
  exit.exit_code = script.exit_code;
  exit.reason = "EXITED";
  return exit;
}

ExitRecord NeverStarted() {
  ExitRecord exit;
  exit.reason = "NEVER_STARTED";
  exit.message = "stopped before it began";
  return exit;
}

absl::Status ScriptedError(const Script& script) {
  const absl::StatusCode code = script.launch_error_retryable
                                    ? absl::StatusCode::kUnavailable
                                    : absl::StatusCode::kFailedPrecondition;
  return Error(code, script.launch_error)
      .Field("launch_error", script.launch_error)
      .Says("the launch fails as its job variables say: {}", script.launch_error);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Launcher>> MakeScriptedLauncher(LauncherOptions options) {
  return std::make_unique<ScriptedLauncher>(std::move(options), SystemClock());
}

ScriptedLauncher::ScriptedLauncher(LauncherOptions options, const Clock& clock)
    : options_(std::move(options)), clock_(clock), thread_([this] { Loop(); }) {}

ScriptedLauncher::~ScriptedLauncher() {
  {
    MutexLock lock(mutex_);
    ending_ = true;
    wake_.NotifyAll();
  }
  thread_.join();
}

absl::Status ScriptedLauncher::Launch(const LaunchSpec& launch) {
  if (!ParseInfrastructureName(launch.name).has_value()) {
    return InvalidJob("name", launch.name, "is no name of Forebay's infrastructure");
  }
  ASSIGN_OR_RETURN(Script script, TypeScript(launch));
  if (!script.launch_error.empty()) return ScriptedError(script);
  MutexLock lock(mutex_);
  if (runs_.contains(launch.name)) return absl::OkStatus();
  Run& run = runs_[launch.name];
  run.ready_at = clock_.Monotonic() + script.launch_delay;
  run.script = std::move(script);
  return absl::OkStatus();
}

absl::StatusOr<ScriptedLauncher::Run*> ScriptedLauncher::FindRun(const std::string& name) {
  const auto found = runs_.find(name);
  if (found != runs_.end()) return &found->second;
  return NoSuch("scripted run", name);
}

absl::Status ScriptedLauncher::Go(const std::string& name) {
  MutexLock lock(mutex_);
  ASSIGN_OR_RETURN(Run* const run, FindRun(name));
  if (run->go || run->stage != Stage::kWaiting) return absl::OkStatus();
  run->go = true;
  Schedule(name, *run, run->ready_at);
  return absl::OkStatus();
}

absl::Status ScriptedLauncher::Stop(const std::string& name, absl::Duration grace) {
  MutexLock lock(mutex_);
  const auto found = runs_.find(name);
  if (found == runs_.end() || found->second.stage == Stage::kExited) return absl::OkStatus();
  const absl::Duration now = clock_.Monotonic();
  found->second.stop = true;
  found->second.force_at = std::min(found->second.force_at, now + grace);
  Schedule(name, found->second, now);
  return absl::OkStatus();
}

absl::StatusOr<Observation> ScriptedLauncher::Observe(const std::string& name) {
  MutexLock lock(mutex_);
  ASSIGN_OR_RETURN(const Run* const run, FindRun(name));
  Observation seen;
  seen.stage = run->stage;
  seen.infrastructure_id = "scripted:" + run->script.display_name;
  seen.exit = run->exit;
  seen.log_lines = run->lines();
  return seen;
}

absl::StatusOr<std::vector<v1::LogEntry>> ScriptedLauncher::ReadLog(const std::string& name,
                                                                    int64_t from, int most_lines,
                                                                    size_t most_bytes) {
  MutexLock lock(mutex_);
  ASSIGN_OR_RETURN(const Run* const run, FindRun(name));
  std::vector<v1::LogEntry> entries;
  size_t bytes = 0;
  for (int64_t at = from; at < run->lines() && static_cast<int>(entries.size()) < most_lines;
       ++at) {
    if (bytes >= most_bytes && !entries.empty()) break;
    v1::LogEntry& entry = entries.emplace_back();
    entry.set_time_micros(absl::ToUnixMicros(run->started));
    entry.set_stream(v1::LOG_STREAM_STDOUT);
    entry.set_text(run->script.Line(at));
    bytes += entry.text().size();
  }
  return entries;
}

std::vector<std::string> ScriptedLauncher::Find() {
  MutexLock lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, run] : runs_) names.push_back(name);
  return names;
}

absl::Status ScriptedLauncher::Remove(const std::string& name) {
  MutexLock lock(mutex_);
  const auto found = runs_.find(name);
  if (found == runs_.end()) return absl::OkStatus();
  due_.erase({found->second.due_at, name});
  runs_.erase(found);
  return absl::OkStatus();
}

void ScriptedLauncher::Schedule(const std::string& name, Run& run, absl::Duration at) {
  due_.erase({run.due_at, name});
  run.due_at = at;
  if (at < absl::InfiniteDuration()) due_.emplace(at, name);
  wake_.NotifyOne();
}

void ScriptedLauncher::Loop() {
  while (true) {
    std::vector<std::string> changed;
    {
      MutexLock lock(mutex_);
      if (ending_) return;
      const absl::Duration now = clock_.Monotonic();
      changed = MoveOnDue(now);
      if (changed.empty() && due_.empty()) {
        wake_.Wait(mutex_);
      } else if (changed.empty()) {
        wake_.WaitFor(mutex_, due_.begin()->first - now);
      }
    }
    for (const std::string& name : changed) {
      if (options_.changed) options_.changed(name);
    }
  }
}

std::vector<std::string> ScriptedLauncher::MoveOnDue(absl::Duration now) {
  std::vector<std::string> changed;
  while (!due_.empty() && due_.begin()->first <= now) {
    const std::string name = due_.begin()->second;
    Run& run = runs_.at(name);
    MoveOn(run, now);
    Schedule(name, run, NextEvent(run));
    changed.push_back(name);
  }
  return changed;
}

void ScriptedLauncher::MoveOn(Run& run, absl::Duration now) const {
  const auto end = [&run](ExitRecord exit) {
    run.exit = std::move(exit);
    run.stage = Stage::kExited;
  };
  if (run.stage == Stage::kWaiting && run.stop) return end(NeverStarted());
  if (run.stage == Stage::kWaiting && run.go && now >= run.ready_at) {
    run.stage = Stage::kStarted;
    run.started = clock_.Now();
    run.ends_at = now + run.script.duration;
  }
  if (run.stage != Stage::kStarted) return;
  if (now >= *run.ends_at) return end(Finished(run.script));
  if (run.stop && !run.script.ignore_stop) return end(Signaled(SIGTERM));
  if (now >= run.force_at) end(Signaled(SIGKILL));
}

absl::Duration ScriptedLauncher::NextEvent(const Run& run) {
  if (run.stage == Stage::kStarted) return std::min(*run.ends_at, run.force_at);
  if (run.stage == Stage::kWaiting && run.go) return run.ready_at;
  return absl::InfiniteDuration();
}

}  // namespace forebay::worker
