#include "worker/launch/process/process_launcher.h"

#include <sys/stat.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <thread>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/job_spec/job_fields.h"
#include "common/os/files.h"
#include "worker/launch/launch_error.h"
#include "worker/launch/process/account.h"
#include "worker/launch/process/environment.h"
#include "worker/launch/process/format/names.h"
#include "worker/launch/process/holder_process.h"
#include "worker/launch/process/leftovers.h"

namespace forebay::worker {
namespace {

constexpr absl::Duration kForcedEnd = absl::Seconds(10);
constexpr std::chrono::milliseconds kLockAgain(1);

// What the operating system refused, in the terms of launcher.h.
absl::Status LaunchError(const absl::Status& status) {
  const bool decided = status.code() == absl::StatusCode::kInvalidArgument ||
                       status.code() == absl::StatusCode::kFailedPrecondition;
  if (decided) return status;
  const std::string reason = ReasonOf(status);
  if (reason == "NO_SPACE" || reason == "PERMISSION_DENIED") {
    return Error(absl::StatusCode::kFailedPrecondition, reason).Says("{}", MessageOf(status));
  }
  return Error(absl::StatusCode::kUnavailable, "INFRASTRUCTURE_UNAVAILABLE")
      .Says("{}", MessageOf(status));
}

std::string IdText(const holder::Status& status) {
  const holder::ProcessId& id = status.child.pid != 0 ? status.child : status.holder;
  return fmt::format("{}:{}", id.pid, id.start_time);
}

ExitRecord ToExitRecord(const holder::EndRecord& end) {
  ExitRecord exit;
  if (end.exit_code >= 0) exit.exit_code = end.exit_code;
  exit.signal = end.signal;
  exit.reason = end.reason;
  exit.launch_failure = end.launch_failure;
  exit.message = end.message;
  // What began has had memory: nothing was measured.
  if (end.max_rss_bytes == 0) return exit;
  exit.cpu_user_micros = end.cpu_user_micros;
  exit.cpu_system_micros = end.cpu_system_micros;
  exit.max_rss_bytes = end.max_rss_bytes;
  return exit;
}

int64_t GraceMillis(absl::Duration grace) {
  constexpr absl::Duration kLongest = absl::Hours(24 * 365);
  return absl::ToInt64Milliseconds(std::clamp(grace, absl::ZeroDuration(), kLongest));
}

absl::Status CheckGivenDirectory(const std::string& path) {
  struct stat about {};
  if (::stat(path.c_str(), &about) == 0 && S_ISDIR(about.st_mode)) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_JOB")
      .Field("working_dir", path)
      .Says("the working directory '{}' is no directory of the worker's host", path);
}

}  // namespace

absl::StatusOr<std::unique_ptr<Launcher>> MakeProcessLauncher(LauncherOptions options) {
  ASSIGN_OR_RETURN(std::string program, FindHolderProgram());
  auto launcher = std::make_unique<ProcessLauncher>(std::move(options), std::move(program));
  RETURN_IF_ERROR(launcher->Start());
  return launcher;
}

ProcessLauncher::ProcessLauncher(LauncherOptions options, std::string holder_program)
    : options_(std::move(options)),
      holder_program_(std::move(holder_program)),
      runs_(options_.state_dir + "/runs"),
      observer_(options_.changed) {}

absl::Status ProcessLauncher::Start() {
  RETURN_IF_ERROR(MakeDirectories(runs_));
  RETURN_IF_ERROR(observer_.Start());
  for (const std::string& name : Find()) Adopt(name);
  return absl::OkStatus();
}

void ProcessLauncher::Adopt(const std::string& name) {
  const RunDirectory directory = DirectoryOf(name);
  auto lock = directory.TryLock();
  if (!lock.ok()) return;
  if (!lock->ok()) {
    (void)Alive(directory);
  } else if (directory.ReadStatus().phase == holder::Phase::kNone) {
    // A launch that was cut short before there was a holder: whoever wants it launches it again.
    (void)directory.Remove();
  }
}

absl::Status ProcessLauncher::Launch(const LaunchSpec& launch) {
  if (!ParseInfrastructureName(launch.name).has_value()) {
    return InvalidJob("name", launch.name, "is no name of Forebay's infrastructure");
  }
  ASSIGN_OR_RETURN(const ProcessSpec spec, TypeProcessSpec(launch));
  const RunDirectory directory = DirectoryOf(launch.name);
  const auto prepare = [&]() -> absl::StatusOr<UniqueFd> {
    RETURN_IF_ERROR(directory.Make());
    return directory.TryLock();
  };
  auto lock = prepare();
  if (!lock.ok()) return LaunchError(lock.status());
  const bool exists = !lock->ok() || directory.ReadStatus().phase != holder::Phase::kNone;
  if (exists) return absl::OkStatus();
  const absl::Status launched = LaunchInto(directory, launch, spec, *std::move(lock));
  if (launched.ok()) return launched;
  (void)directory.Remove();
  return LaunchError(launched);
}

absl::Status ProcessLauncher::LaunchInto(const RunDirectory& directory, const LaunchSpec& launch,
                                         const ProcessSpec& spec, UniqueFd lock) {
  ASSIGN_OR_RETURN(const holder::HolderSpec told, HolderSpecOf(directory, launch, spec));
  RETURN_IF_ERROR(directory.WriteFiles(told, DumpJson(Json(spec.labels))));
  ASSIGN_OR_RETURN(StartedHolder started,
                   StartHolder(holder_program_, directory, spec.display_name, std::move(lock)));
  return observer_.Add(launch.name, std::move(started.socket), started.pid);
}

absl::StatusOr<holder::HolderSpec> ProcessLauncher::HolderSpecOf(const RunDirectory& directory,
                                                                 const LaunchSpec& launch,
                                                                 const ProcessSpec& spec) const {
  ASSIGN_OR_RETURN(const std::optional<Account> account, AccountFor(spec.user));
  const Account* other = account.has_value() ? &*account : nullptr;
  ASSIGN_OR_RETURN(Environment environment,
                   RunEnvironment(InheritedEnvironment(), other, launch.environment, spec.env));
  environment[std::string(holder::kInfrastructureVariable)] = launch.name;

  holder::HolderSpec told;
  told.name = launch.name;
  told.argv = spec.command;
  told.environment = EnvironmentEntries(environment);
  if (other != nullptr) told.user = other->ids;
  told.limits = spec.limits;
  told.keep_output = spec.keep_output;
  told.log_rate_bytes = options_.log_rate_bytes;
  told.log_burst_bytes = options_.log_burst_bytes;
  told.grace_millis = GraceMillis(launch.cancel_grace);
  told.working_directory = spec.working_directory;
  if (told.working_directory.empty()) {
    ASSIGN_OR_RETURN(told.working_directory, directory.MakeWorkDirectory(other));
  } else {
    RETURN_IF_ERROR(CheckGivenDirectory(told.working_directory));
  }
  return told;
}

absl::Status ProcessLauncher::Go(const std::string& name) {
  const RunDirectory directory = DirectoryOf(name);
  if (!directory.Exists()) return NoSuch("process", name);
  return Say(directory, {holder::Command::Kind::kGo, 0});
}

absl::Status ProcessLauncher::Stop(const std::string& name, absl::Duration grace) {
  const RunDirectory directory = DirectoryOf(name);
  if (!directory.Exists()) return absl::OkStatus();
  const absl::Status said = Say(directory, {holder::Command::Kind::kStop, GraceMillis(grace)});
  // What has no holder has no process either, or Observe and Remove end it.
  return said.ok() || !HasHolder(directory) ? absl::OkStatus() : said;
}

absl::Status ProcessLauncher::Say(const RunDirectory& directory, const holder::Command& command) {
  if (observer_.Send(directory.name(), command)) return absl::OkStatus();
  // A holder at its end closes its connections after it has recorded the end.
  if (directory.ReadStatus().phase == holder::Phase::kExited) return absl::OkStatus();
  if (Reconnect(directory) && observer_.Send(directory.name(), command)) return absl::OkStatus();
  if (directory.ReadStatus().phase == holder::Phase::kExited) return absl::OkStatus();
  return Error(absl::StatusCode::kUnavailable, "INFRASTRUCTURE_UNAVAILABLE")
      .With("value", directory.name())
      .Says("the holder of '{}' cannot be reached", directory.name());
}

bool ProcessLauncher::HasHolder(const RunDirectory& directory) {
  const auto lock = directory.TryLock();
  return lock.ok() && !lock->ok();
}

bool ProcessLauncher::Reconnect(const RunDirectory& directory) {
  auto socket = ConnectToHolder(directory);
  return socket.ok() && observer_.Add(directory.name(), *std::move(socket), std::nullopt).ok();
}

bool ProcessLauncher::Alive(const RunDirectory& directory) {
  if (observer_.Latest(directory.name()).has_value()) return true;
  if (!HasHolder(directory)) return false;
  (void)Reconnect(directory);
  return true;
}

absl::StatusOr<Observation> ProcessLauncher::Observe(const std::string& name) {
  const RunDirectory directory = DirectoryOf(name);
  if (!directory.Exists()) return NoSuch("process", name);
  const holder::Status status = directory.ReadStatus();
  if (status.phase == holder::Phase::kExited || !Alive(directory)) return Ended(directory);
  Observation seen;
  seen.stage = status.phase == holder::Phase::kStarted ? Stage::kStarted : Stage::kWaiting;
  seen.infrastructure_id = IdText(status);
  seen.log_lines = observer_.Latest(name).value_or(holder::Notice()).log_lines;
  return seen;
}

absl::StatusOr<Observation> ProcessLauncher::Ended(const RunDirectory& directory) {
  // Read again: the end may have been recorded just before the holder was found gone.
  const holder::Status status = directory.ReadStatus();
  if (status.phase != holder::Phase::kExited) return Lost(directory, status);
  Observation seen;
  seen.stage = Stage::kExited;
  seen.infrastructure_id = IdText(status);
  seen.exit = ToExitRecord(status.end);
  seen.log_lines = status.end.log_lines;
  return seen;
}

absl::StatusOr<Observation> ProcessLauncher::Lost(const RunDirectory& directory,
                                                  const holder::Status& status) {
  KillLeftovers(directory.name());
  Observation seen;
  seen.stage = Stage::kLost;
  seen.infrastructure_id = IdText(status);
  seen.exit.reason = "HOLDER_LOST";
  seen.exit.message = status.phase >= holder::Phase::kGoing
                          ? "the process that watched over the run is gone; the run was killed"
                          : "the process that watched over the run is gone; the run never began";
  ASSIGN_OR_RETURN(seen.log_lines, log_tail_.Count(directory.File(holder::kOutputFile)));
  return seen;
}

absl::StatusOr<std::vector<v1::LogEntry>> ProcessLauncher::ReadLog(const std::string& name,
                                                                   int64_t from, int most_lines,
                                                                   size_t most_bytes) {
  const RunDirectory directory = DirectoryOf(name);
  if (!directory.Exists()) return NoSuch("process", name);
  return log_tail_.Read(directory.File(holder::kOutputFile), from, most_lines, most_bytes);
}

std::vector<std::string> ProcessLauncher::Find() {
  std::vector<std::string> found;
  const auto names = ListDirectory(runs_);
  if (!names.ok()) return found;
  for (const std::string& name : *names) {
    if (ParseInfrastructureName(name).has_value()) found.push_back(name);
  }
  return found;
}

absl::Status ProcessLauncher::Remove(const std::string& name) {
  const RunDirectory directory = DirectoryOf(name);
  if (directory.Exists()) {
    RETURN_IF_ERROR(EndByForce(directory));
    RETURN_IF_ERROR(directory.Remove());
  }
  observer_.Forget(name);
  log_tail_.Forget(directory.File(holder::kOutputFile));
  return absl::OkStatus();
}

absl::Status ProcessLauncher::EndByForce(const RunDirectory& directory) {
  RETURN_IF_ERROR(Stop(directory.name(), absl::ZeroDuration()));
  const absl::Duration end = SystemClock().Monotonic() + kForcedEnd;
  (void)observer_.WaitUntilGone(directory.name(), kForcedEnd);
  while (true) {
    ASSIGN_OR_RETURN(const UniqueFd lock, directory.TryLock());
    if (lock.ok()) break;
    if (SystemClock().Monotonic() > end) {
      return Error(absl::StatusCode::kUnavailable, "INFRASTRUCTURE_UNAVAILABLE")
          .With("value", directory.name())
          .Says("'{}' does not end", directory.name());
    }
    std::this_thread::sleep_for(kLockAgain);
  }
  if (directory.ReadStatus().phase != holder::Phase::kExited) KillLeftovers(directory.name());
  return absl::OkStatus();
}

}  // namespace forebay::worker
