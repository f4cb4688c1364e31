#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/status.h"
#include "common/os/file_lock.h"
#include "common/os/files.h"
#include "common/os/signals.h"
#include "common/os/subprocess.h"
#include "tests/conformance/scratch.h"
#include "tests/support/catch.h"

namespace forebay {
namespace {

SubprocessSpec Shell(const std::string& script) {
  SubprocessSpec spec;
  spec.argv = {"/bin/sh", "-c", script};
  spec.environment = {"PATH=/usr/bin:/bin"};
  return spec;
}

TEST_CASE("a file is replaced as a whole, with the mode asked for") {
  Scratch scratch;
  const std::string path = scratch.File("file");
  REQUIRE(WriteFileAtomically(path, "one", {0640, true}).ok());
  REQUIRE(WriteFileAtomically(path, "two").ok());
  CHECK(*ReadSmallFile(path) == "two");
  struct stat about {};
  REQUIRE(::stat(path.c_str(), &about) == 0);
  CHECK((about.st_mode & 0777) == 0600);
  CHECK(*ListDirectory(scratch.path()) == std::vector<std::string>{"file"});
}

TEST_CASE("errors of files tell the path and the reason") {
  const absl::Status missing = ReadSmallFile("/no/such/file").status();
  CHECK(missing.code() == absl::StatusCode::kNotFound);
  CHECK(ReasonOf(missing) == "FILE_NOT_FOUND");
  CHECK(std::string(MessageOf(missing)).find("/no/such/file") != std::string::npos);
  CHECK_FALSE(WriteFileAtomically("/no/such/file", "").ok());
  CHECK(ReasonOf(ReadSmallFile("/proc/self/maps", 10).status()) == "FILE_TOO_LARGE");
}

TEST_CASE("directories are made with their parents and removed with what is in them") {
  Scratch scratch;
  const std::string path = scratch.File("a/b/c");
  REQUIRE(MakeDirectories(path).ok());
  REQUIRE(MakeDirectories(path).ok());
  REQUIRE(WriteFileAtomically(path + "/file", "x").ok());
  CHECK_FALSE(MakeDirectories(path + "/file").ok());
  CHECK_FALSE(MakeDirectories(path + "/file/below").ok());
  REQUIRE(::symlink("/usr", (path + "/link").c_str()) == 0);
  REQUIRE(RemoveTree(scratch.File("a")).ok());
  REQUIRE(RemoveTree(scratch.File("a")).ok());
  CHECK(FileExists("/usr"));
  CHECK_FALSE(FileExists(scratch.File("a")));
}

TEST_CASE("a lock has one holder at a time, and says who") {
  Scratch scratch;
  const std::string path = scratch.File("lock");
  {
    auto held = FileLock::Take(path, "the directory");
    REQUIRE(held.ok());
    const absl::Status refused = FileLock::Take(path, "the directory").status();
    CHECK(refused.code() == absl::StatusCode::kFailedPrecondition);
    CHECK(ReasonOf(refused) == "LOCKED");
    CHECK(DetailOf(refused)->metadata["pid"] == std::to_string(::getpid()));
  }
  CHECK(FileLock::Take(path, "the directory").ok());
}

TEST_CASE("a command's output and exit code are kept") {
  auto result = RunCommand(Shell("echo out; echo err >&2; exit 3"), absl::Seconds(30));
  REQUIRE(result.ok());
  CHECK(result->output == "out\nerr\n");
  CHECK(result->exit.code == 3);
  CHECK(RunCommand(Shell("kill -9 $$"), absl::Seconds(30))->exit.signal == SIGKILL);
}

TEST_CASE("a command that leaves a daemon behind is over when it ends") {
  auto result = RunCommand(Shell("setsid sleep 600 & echo $!"), absl::Minutes(5));
  REQUIRE(result.ok());
  CHECK(result->exit.success());
  const auto pid = static_cast<pid_t>(std::stol(result->output));
  CHECK(::kill(pid, SIGKILL) == 0);
}

TEST_CASE("a command that takes too long is ended") {
  const absl::Status late = RunCommand(Shell("sleep 600"), absl::Milliseconds(50)).status();
  CHECK(late.code() == absl::StatusCode::kDeadlineExceeded);
  CHECK(ReasonOf(late) == "COMMAND_TIMEOUT");
}

TEST_CASE("a command that does not exist cannot be started") {
  SubprocessSpec spec;
  spec.argv = {"/no/such/command"};
  CHECK(ReasonOf(Subprocess::Start(spec).status()) == "COMMAND_NOT_FOUND");
  spec.argv.clear();
  CHECK(ReasonOf(Subprocess::Start(spec).status()) == "INVALID_COMMAND");
}

TEST_CASE("a child gets only its own environment, streams and group") {
  Scratch scratch;
  SubprocessSpec spec = Shell("env; ls /proc/self/fd | wc -l");
  spec.environment = {"ONLY=this", "PATH=/usr/bin:/bin"};
  spec.working_directory = "/usr";
  spec.output = Redirect::ToFile(scratch.File("out"));
  auto child = Subprocess::Start(spec);
  REQUIRE(child.ok());
  CHECK(::getpgid(child->pid()) == child->pid());
  CHECK(child->Wait().has_value());
  const std::string output = *ReadSmallFile(scratch.File("out"));
  CHECK(output.find("ONLY=this\n") != std::string::npos);
  CHECK(output.find("PWD=/usr\n") != std::string::npos);
  CHECK(output.find("HOME=") == std::string::npos);
  // Standard streams, and the directory that ls itself reads.
  CHECK(output.ends_with("4\n"));
}

TEST_CASE("a child that does not listen is stopped by force, with its group") {
  Scratch scratch;
  SubprocessSpec spec = Shell("trap '' TERM; sleep 600 & echo ready; wait; sleep 600");
  spec.output = Redirect::ToFile(scratch.File("out"));
  auto child = Subprocess::Start(spec);
  REQUIRE(child.ok());
  while (ReadSmallFile(scratch.File("out")).value_or("").empty()) {
    REQUIRE_FALSE(child->Wait(absl::Milliseconds(1)).has_value());
  }
  CHECK(child->Stop(absl::Milliseconds(100)).signal == SIGKILL);
  CHECK(child->Stop(absl::ZeroDuration()).signal == SIGKILL);
}

TEST_CASE("a signal is waited for") {
  SignalWaiter waiter({SIGUSR1, SIGUSR2});
  CHECK_FALSE(waiter.Wait(absl::ZeroDuration()).has_value());
  ::kill(::getpid(), SIGUSR2);
  CHECK(waiter.Wait(absl::Seconds(30)) == SIGUSR2);
  CHECK_FALSE(waiter.Wait(absl::Milliseconds(1)).has_value());
}

}  // namespace
}  // namespace forebay
