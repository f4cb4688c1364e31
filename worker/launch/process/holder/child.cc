#include "worker/launch/process/holder/child.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>
#include <vector>

#include "common/base/text.h"

namespace forebay::holder {
namespace {

using Step = ExecFailure::Step;

// Where the command is looked for when the run has no PATH; execvp's own default.
constexpr std::string_view kDefaultPath = "/usr/local/bin:/usr/bin:/bin";

struct Pipe {
  UniqueFd reader;
  UniqueFd writer;
  bool Open() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return false;
    reader.Reset(ends[0]);
    writer.Reset(ends[1]);
    return true;
  }
};

// Runs between fork and exec, in a process that has one thread like its parent.
class Starter {
 public:
  Starter(const HolderSpec& spec, const MemoryCgroup* memory, int result)
      : spec_(spec), memory_(memory), result_(result) {}

  [[noreturn]] void Run(int output, int errors, pid_t parent) {
    ::setsid();
    ResetSignals();
    Require(Step::kSystem, SetStreams(output, errors));
    Require(Step::kMemory, LimitMemory());
    Require(Step::kLimits, SetLimits());
    if (spec_.user.has_value()) Require(Step::kUser, BecomeUser(*spec_.user));
    // After the change of user, which would clear it.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);
    Require(Step::kDirectory, ::chdir(spec_.working_directory.c_str()) == 0);
    errno = Exec();
    Require(Step::kExec, false);
    ::_exit(127);
  }

 private:
  void Require(Step step, bool done) {
    if (done) return;
    const ExecFailure failure{step, errno};
    (void)!::write(result_, &failure, sizeof failure);
    ::_exit(127);
  }

  static void ResetSignals() {
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    for (int signal : {SIGPIPE, SIGHUP, SIGINT, SIGTERM, SIGCHLD}) ::signal(signal, SIG_DFL);
  }

  static bool SetStreams(int output, int errors) {
    const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    return null >= 0 && ::dup2(null, 0) == 0 && ::dup2(output, 1) == 1 && ::dup2(errors, 2) == 2;
  }

  bool LimitMemory() const {
    if (spec_.limits.memory_bytes <= 0) return true;
    if (memory_ != nullptr) return memory_->Join();
    return SetLimit(RLIMIT_AS, spec_.limits.memory_bytes);
  }

  bool SetLimits() const {
    return (spec_.limits.cpu_seconds <= 0 || SetLimit(RLIMIT_CPU, spec_.limits.cpu_seconds)) &&
           (spec_.limits.open_files <= 0 || SetLimit(RLIMIT_NOFILE, spec_.limits.open_files));
  }

  static bool SetLimit(__rlimit_resource resource, int64_t value) {
    const rlimit limit{static_cast<rlim_t>(value), static_cast<rlim_t>(value)};
    return ::setrlimit(resource, &limit) == 0;
  }

  static bool BecomeUser(const UserIds& user) {
    return ::setgroups(user.groups.size(), user.groups.data()) == 0 && ::setgid(user.gid) == 0 &&
           ::setuid(user.uid) == 0;
  }

  // The number of the error that says most about why nothing could be executed.
  int Exec() const {
    const std::string& command = spec_.argv[0];
    if (command.find('/') != command.npos) return ExecPath(command);
    int error = ENOENT;
    for (std::string_view directory : Split(SearchPath(), ':')) {
      const std::string_view place = directory.empty() ? "." : directory;
      const int number = ExecPath(std::string(place) + "/" + command);
      if (number != ENOENT && number != ENOTDIR) error = number;
      if (number != ENOENT && number != ENOTDIR && number != EACCES) return number;
    }
    return error;
  }

  std::string_view SearchPath() const {
    constexpr std::string_view kName = "PATH=";
    for (std::string_view entry : spec_.environment) {
      if (entry.starts_with(kName)) return entry.substr(kName.size());
    }
    return kDefaultPath;
  }

  int ExecPath(const std::string& path) const {
    const auto argv = Pointers(spec_.argv);
    const auto environment = Pointers(spec_.environment);
    ::execve(path.c_str(), argv.data(), environment.data());
    return errno;
  }

  static std::vector<char*> Pointers(const std::vector<std::string>& texts) {
    std::vector<char*> pointers;
    for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
    pointers.push_back(nullptr);
    return pointers;
  }

  const HolderSpec& spec_;
  const MemoryCgroup* memory_;
  const int result_;
};

std::string_view StepText(Step step) {
  switch (step) {
    case Step::kSystem:
      return "the system could not make the process";
    case Step::kLimits:
      return "the limits cannot be set";
    case Step::kMemory:
      return "the memory limit cannot be set";
    case Step::kUser:
      return "the process cannot run as the user";
    case Step::kDirectory:
      return "the working directory cannot be entered";
    case Step::kExec:
      break;
  }
  return "the command cannot be executed";
}

}  // namespace

std::optional<Child> StartChild(const HolderSpec& spec, const MemoryCgroup* memory,
                                ExecFailure& failure) {
  Pipe output, errors, result;
  if (output.Open() && errors.Open() && result.Open()) {
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid == 0) {
      Starter(spec, memory, result.writer.get())
          .Run(output.writer.get(), errors.writer.get(), parent);
    }
    if (pid > 0) {
      for (int fd : {output.reader.get(), errors.reader.get()}) ::fcntl(fd, F_SETFL, O_NONBLOCK);
      return Child{pid, std::move(output.reader), std::move(errors.reader),
                   std::move(result.reader)};
    }
  }
  failure = {Step::kSystem, errno};
  return std::nullopt;
}

std::string FailureClass(const ExecFailure& failure) {
  if (failure.error == EACCES || failure.error == EPERM) return "PERMISSION_DENIED";
  if (failure.step == Step::kExec && failure.error == ENOENT) return "COMMAND_NOT_FOUND";
  if (failure.step == Step::kSystem) return "";
  return "INVALID_JOB";
}

std::string FailureText(const ExecFailure& failure, const HolderSpec& spec) {
  std::string text(StepText(failure.step));
  if (failure.step == Step::kExec) text += " '" + spec.argv[0] + "'";
  if (failure.step == Step::kDirectory) text += " '" + spec.working_directory + "'";
  return text + ": " + std::strerror(failure.error);
}

}  // namespace forebay::holder
