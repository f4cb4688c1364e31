#pragma once

// Child processes, started without a shell and with nothing inherited by accident.

#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/os/unique_fd.h"

namespace forebay {

// Where a standard stream of the child comes from or goes to.
struct Redirect {
  enum class Kind { kNull, kInherit, kFd, kFile };
  Kind kind = Kind::kNull;
  // kFd: stays owned by the caller.
  int fd = -1;
  // kFile: created 0600 when missing; output is appended.
  std::string path;

  static Redirect Null() { return {}; }
  static Redirect Inherit() { return {Kind::kInherit, -1, {}}; }
  static Redirect ToFd(int fd) { return {Kind::kFd, fd, {}}; }
  static Redirect ToFile(std::string path) { return {Kind::kFile, -1, std::move(path)}; }
};

struct SubprocessSpec {
  // argv[0] is a path, or a name looked up in the caller's PATH.
  std::vector<std::string> argv;
  // "NAME=value"; the whole environment. CurrentEnvironment() to pass on one's own.
  std::vector<std::string> environment;
  // Empty: the caller's.
  std::string working_directory;
  enum class Group { kSame, kOwnGroup, kOwnSession };
  Group group = Group::kOwnGroup;
  Redirect input, output, errors;
  // Descriptors from here on are closed in the child.
  int close_from = 3;
};

std::vector<std::string> CurrentEnvironment();

struct ExitStatus {
  // Meaningful when signal is 0.
  int code = 0;
  int signal = 0;

  bool success() const { return code == 0 && signal == 0; }
  // "exit code 1" or "signal 9".
  std::string ToString() const;
};

// One child. Movable. Destroying it neither ends nor waits for the child. Methods are not to be
// called from two threads at once. The child starts with no signal blocked and SIGPIPE, SIGTERM,
// SIGINT and SIGCHLD at their defaults.
class Subprocess {
 public:
  // NOT_FOUND (COMMAND_NOT_FOUND), PERMISSION_DENIED, INVALID_ARGUMENT (INVALID_COMMAND) for an
  // empty argv, or UNAVAILABLE when the system has no more processes.
  static absl::StatusOr<Subprocess> Start(const SubprocessSpec& spec);

  pid_t pid() const { return pid_; }
  // Readable when the child has ended; for a poll of one's own.
  int pidfd() const { return pidfd_.get(); }
  // How it ended, or nothing when it still runs after `most`. Asking again gives the same answer.
  std::optional<ExitStatus> Wait(absl::Duration most = absl::InfiniteDuration());
  // OK when it has ended already.
  absl::Status Signal(int signal);
  // To its whole group, also after the child itself has ended; only for one with a group of its
  // own.
  absl::Status SignalGroup(int signal);
  // SIGTERM, then after `grace` SIGKILL, to the group if it has one of its own; returns when the
  // child has ended.
  ExitStatus Stop(absl::Duration grace);

 private:
  Subprocess(pid_t pid, UniqueFd pidfd, bool own_group)
      : pid_(pid), pidfd_(std::move(pidfd)), own_group_(own_group) {}

  pid_t pid_;
  UniqueFd pidfd_;
  bool own_group_;
  std::optional<ExitStatus> exit_;
};

struct CommandResult {
  ExitStatus exit;
  // Standard output, and error with it unless it goes elsewhere, cut after 1 MiB.
  std::string output;
};
enum class CommandErrors { kWithOutput, kAsSpecified };
// Runs a command to its end and keeps what it wrote; the spec's output is ignored, and its errors
// unless asked for.
// DEADLINE_EXCEEDED (COMMAND_TIMEOUT) after `most`, with the command and its group killed. A
// failing command is not an error here.
absl::StatusOr<CommandResult> RunCommand(SubprocessSpec spec, absl::Duration most,
                                         CommandErrors errors = CommandErrors::kWithOutput);

}  // namespace forebay
