#include "common/os/subprocess.h"

#include <fcntl.h>
#include <fmt/ranges.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/os/errno_status.h"

namespace forebay {
namespace {

// posix_spawn's two option objects, set up from a spec and released together.
class SpawnOptions {
 public:
  SpawnOptions() {
    ::posix_spawn_file_actions_init(&actions_);
    ::posix_spawnattr_init(&attributes_);
  }
  ~SpawnOptions() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }
  SpawnOptions(const SpawnOptions&) = delete;
  SpawnOptions& operator=(const SpawnOptions&) = delete;

  void Apply(const SubprocessSpec& spec) {
    Stream(0, spec.input, O_RDONLY);
    Stream(1, spec.output, O_WRONLY | O_CREAT | O_APPEND);
    Stream(2, spec.errors, O_WRONLY | O_CREAT | O_APPEND);
    ::posix_spawn_file_actions_addclosefrom_np(&actions_, std::max(spec.close_from, 3));
    if (!spec.working_directory.empty()) {
      ::posix_spawn_file_actions_addchdir_np(&actions_, spec.working_directory.c_str());
    }
    Attributes(spec.group);
  }
  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  void Stream(int target, const Redirect& redirect, int flags) {
    switch (redirect.kind) {
      case Redirect::Kind::kNull:
        ::posix_spawn_file_actions_addopen(&actions_, target, "/dev/null", flags & O_ACCMODE, 0);
        break;
      case Redirect::Kind::kInherit:
        break;
      case Redirect::Kind::kFd:
        ::posix_spawn_file_actions_adddup2(&actions_, redirect.fd, target);
        break;
      case Redirect::Kind::kFile:
        ::posix_spawn_file_actions_addopen(&actions_, target, redirect.path.c_str(), flags, 0600);
        break;
    }
  }

  void Attributes(SubprocessSpec::Group group) {
    int flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF;
    if (group == SubprocessSpec::Group::kOwnGroup) flags |= POSIX_SPAWN_SETPGROUP;
    if (group == SubprocessSpec::Group::kOwnSession) flags |= POSIX_SPAWN_SETSID;
    sigset_t none, defaults;
    ::sigemptyset(&none);
    ::sigemptyset(&defaults);
    for (int signal : {SIGPIPE, SIGTERM, SIGINT, SIGCHLD}) ::sigaddset(&defaults, signal);
    ::posix_spawnattr_setsigmask(&attributes_, &none);
    ::posix_spawnattr_setsigdefault(&attributes_, &defaults);
    ::posix_spawnattr_setflags(&attributes_, static_cast<short>(flags));
  }

  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

std::vector<char*> Pointers(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

absl::Status StartError(int number, const std::string& command) {
  if (number == ENOENT) {
    return Error(absl::StatusCode::kNotFound, "COMMAND_NOT_FOUND")
        .With("command", command)
        .Says("cannot start '{}': it or its working directory does not exist", command);
  }
  return ErrnoStatus(number, fmt::format("cannot start '{}'", command));
}

ExitStatus FromWait(int status) {
  if (WIFSIGNALED(status)) return {0, WTERMSIG(status)};
  return {WEXITSTATUS(status), 0};
}

int PollMillis(absl::Duration left) {
  if (left == absl::InfiniteDuration()) return -1;
  return static_cast<int>(std::clamp<int64_t>(
      absl::ToInt64Milliseconds(absl::Ceil(left, absl::Milliseconds(1))), 0, 1 << 30));
}

constexpr size_t kMostOutput = 1 << 20;

// False when there is nothing to read now.
bool ReadSome(int fd, std::string& output) {
  char buffer[16384];
  const ssize_t got = ::read(fd, buffer, sizeof buffer);
  if (got < 0) return errno == EINTR;
  output.append(buffer, std::min(static_cast<size_t>(got), kMostOutput - output.size()));
  return got > 0;
}

}  // namespace

std::vector<std::string> CurrentEnvironment() {
  std::vector<std::string> environment;
  for (char** entry = ::environ; *entry != nullptr; ++entry) environment.emplace_back(*entry);
  return environment;
}

std::string ExitStatus::ToString() const {
  return signal != 0 ? fmt::format("signal {}", signal) : fmt::format("exit code {}", code);
}

absl::StatusOr<Subprocess> Subprocess::Start(const SubprocessSpec& spec) {
  if (spec.argv.empty() || spec.argv[0].empty()) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_COMMAND")
        .Says("the command is empty");
  }
  SpawnOptions options;
  options.Apply(spec);
  auto argv = Pointers(spec.argv);
  auto environment = Pointers(spec.environment);
  pid_t pid = -1;
  const int number = ::posix_spawnp(&pid, argv[0], options.actions(), options.attributes(),
                                    argv.data(), environment.data());
  if (number != 0) return StartError(number, spec.argv[0]);
  UniqueFd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  return Subprocess(pid, std::move(pidfd), spec.group != SubprocessSpec::Group::kSame);
}

std::optional<ExitStatus> Subprocess::Wait(absl::Duration most) {
  const absl::Duration end = SystemClock().Monotonic() + most;
  while (!exit_.has_value()) {
    int status = 0;
    const pid_t got = ::waitpid(pid_, &status, WNOHANG);
    if (got == pid_) {
      exit_ = FromWait(status);
    } else if (got < 0 && errno != EINTR) {
      exit_ = ExitStatus{255, 0};
    } else {
      const absl::Duration left = end - SystemClock().Monotonic();
      if (left <= absl::ZeroDuration()) return std::nullopt;
      pollfd ended{pidfd_.get(), POLLIN, 0};
      ::poll(&ended, 1, pidfd_.ok() ? PollMillis(left) : 10);
    }
  }
  return exit_;
}

absl::Status Subprocess::Signal(int signal) {
  if (exit_.has_value() || ::kill(pid_, signal) == 0 || errno == ESRCH) return absl::OkStatus();
  return ErrnoStatus(errno, fmt::format("cannot signal process {}", pid_));
}

absl::Status Subprocess::SignalGroup(int signal) {
  if (::kill(-pid_, signal) == 0 || errno == ESRCH) return absl::OkStatus();
  return ErrnoStatus(errno, fmt::format("cannot signal process group {}", pid_));
}

ExitStatus Subprocess::Stop(absl::Duration grace) {
  const auto send = [this](int signal) {
    (void)(own_group_ ? SignalGroup(signal) : Signal(signal));
  };
  send(SIGTERM);
  if (!Wait(grace).has_value()) send(SIGKILL);
  return *Wait();
}

absl::StatusOr<CommandResult> RunCommand(SubprocessSpec spec, absl::Duration most,
                                         CommandErrors errors) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return ErrnoStatus(errno, "cannot make a pipe");
  UniqueFd reader(ends[0]), writer(ends[1]);
  ::fcntl(reader.get(), F_SETFL, O_NONBLOCK);
  spec.output = Redirect::ToFd(writer.get());
  if (errors == CommandErrors::kWithOutput) spec.errors = spec.output;
  spec.group = SubprocessSpec::Group::kOwnGroup;
  ASSIGN_OR_RETURN(Subprocess child, Subprocess::Start(spec));
  writer.Reset();

  CommandResult result;
  const absl::Duration end = SystemClock().Monotonic() + most;
  pollfd watched[2] = {{reader.get(), POLLIN, 0}, {child.pidfd(), POLLIN, 0}};
  while (::poll(watched, 2, PollMillis(end - SystemClock().Monotonic())) != 0) {
    // A daemon that the command left behind may keep the pipe open for ever: the command's own end
    // decides.
    const auto exit = child.Wait(absl::ZeroDuration());
    while (ReadSome(reader.get(), result.output)) continue;
    if (exit.has_value()) {
      result.exit = *exit;
      return result;
    }
    if ((watched[0].revents & POLLHUP) != 0) watched[0].fd = -1;
  }
  child.Stop(absl::ZeroDuration());
  return Error(absl::StatusCode::kDeadlineExceeded, "COMMAND_TIMEOUT")
      .With("command", spec.argv[0])
      .Says("'{}' did not end within {}", fmt::join(spec.argv, " "), absl::FormatDuration(most));
}

}  // namespace forebay
