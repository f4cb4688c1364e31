#include "cli/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "common/base/status.h"
#include "common/base/text.h"

namespace forebay::cli {
namespace {

namespace fs = std::filesystem;

std::string Reason(int error) { return std::generic_category().message(error); }

std::vector<char*> Argv(const std::string& program, const std::vector<std::string>& arguments) {
  std::vector<char*> argv = {const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  return argv;
}

absl::Status CannotStart(const std::string& program, int error) {
  return Error(absl::StatusCode::kInternal, "PROGRAM_NOT_STARTED")
      .Field("program", program)
      .Says("cannot start {}: {}", program, Reason(error));
}

// Between fork and exec: only what POSIX allows there.
[[noreturn]] void BecomeChild(char** argv, int output, pid_t parent) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != parent) _exit(1);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int input = open("/dev/null", O_RDONLY);
  dup2(input, STDIN_FILENO);
  dup2(output, STDOUT_FILENO);
  dup2(output, STDERR_FILENO);
  execv(argv[0], argv);
  _exit(127);
}

}  // namespace

absl::StatusOr<std::string> FindProgram(const std::string& name) {
  std::error_code error;
  std::vector<fs::path> directories = {fs::read_symlink("/proc/self/exe", error).parent_path()};
  const char* path = std::getenv("PATH");
  for (const std::string_view part : Split(path == nullptr ? "" : path, ':')) {
    if (part.starts_with('/')) directories.emplace_back(part);
  }
  for (const fs::path& directory : directories) {
    const fs::path candidate = directory / name;
    if (access(candidate.c_str(), X_OK) == 0) return candidate.string();
  }
  return Error(absl::StatusCode::kNotFound, "PROGRAM_NOT_FOUND")
      .Field("program", name)
      .Says("{} is neither beside forebay nor on PATH", name);
}

absl::Status Exec(const std::string& program, const std::vector<std::string>& arguments) {
  auto argv = Argv(program, arguments);
  execv(argv[0], argv.data());
  return CannotStart(program, errno);
}

absl::StatusOr<Child> Spawn(const std::string& program, const std::vector<std::string>& arguments) {
  auto argv = Argv(program, arguments);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return CannotStart(program, errno);
  const pid_t parent = getpid();
  const pid_t pid = fork();
  if (pid == 0) BecomeChild(argv.data(), ends[1], parent);
  const int error = errno;
  close(ends[1]);
  if (pid > 0) return Child{pid, ends[0]};
  close(ends[0]);
  return CannotStart(program, error);
}

}  // namespace forebay::cli
