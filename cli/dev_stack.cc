#include "cli/dev_stack.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <mutex>

#include "cli/exit_code.h"
#include "common/base/status.h"
#include "common/os/errno_status.h"

namespace forebay::cli {
namespace {

constexpr absl::Duration kTick = absl::Milliseconds(20);
constexpr absl::Duration kLong = absl::Minutes(1);
constexpr int kInterruptsBeforeKill = 2;

// What the shell would say.
int ExitCodeFor(const ExitStatus& exit) {
  if (exit.signal != 0) return 128 + exit.signal;
  return exit.code == 0 ? kExitError : exit.code;
}

SubprocessSpec SpecOf(const std::string& program, const std::vector<std::string>& arguments,
                      int output) {
  SubprocessSpec spec;
  spec.argv = {"setpriv", "--pdeathsig", "TERM", "--", program};
  spec.argv.insert(spec.argv.end(), arguments.begin(), arguments.end());
  spec.environment = CurrentEnvironment();
  spec.output = spec.errors = Redirect::ToFd(output);
  return spec;
}

}  // namespace

DevStack::DevStack(std::function<void(std::string_view)> say)
    : signals_({SIGINT, SIGTERM, SIGHUP}) {
  auto mutex = std::make_shared<std::mutex>();
  say_ = [mutex, say = std::move(say)](std::string_view line) {
    const std::lock_guard lock(*mutex);
    say(line);
  };
}

DevStack::~DevStack() { Stop(); }

absl::Status DevStack::Start(const std::string& name, const std::string& program,
                             const std::vector<std::string>& arguments) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return ErrnoStatus(errno, "cannot make a pipe");
  UniqueFd reader(ends[0]);
  const UniqueFd writer(ends[1]);
  ASSIGN_OR_RETURN(Subprocess process, Subprocess::Start(SpecOf(program, arguments, writer.get())));
  auto pump = std::make_unique<LinePump>(
      std::move(reader),
      [say = say_, name](std::string_view line) { say(fmt::format("{:>6} | {}", name, line)); });
  running_.push_back({name, std::move(process), std::move(pump)});
  return absl::OkStatus();
}

bool DevStack::Interrupted(absl::Duration most) {
  std::vector<pollfd> watched = {{signals_.fd(), POLLIN, 0}};
  for (const Running& running : running_) watched.push_back({running.process.pidfd(), POLLIN, 0});
  poll(watched.data(), watched.size(), static_cast<int>(absl::ToInt64Milliseconds(most)));
  return signals_.Wait(absl::ZeroDuration()).has_value();
}

absl::Status DevStack::CheckRunning() {
  for (Running& running : running_) {
    const auto exit = running.process.Wait(absl::ZeroDuration());
    if (!exit.has_value()) continue;
    return Error(absl::StatusCode::kInternal, kChildEnded)
        .With("exit_code", std::to_string(ExitCodeFor(*exit)))
        .Says("the {} ended: {}", running.name, exit->ToString());
  }
  return absl::OkStatus();
}

absl::Status DevStack::WaitUntil(const std::function<bool()>& ready) {
  while (!ready()) {
    if (Interrupted(kTick)) return absl::CancelledError("interrupted");
    RETURN_IF_ERROR(CheckRunning());
  }
  return absl::OkStatus();
}

absl::Status DevStack::WaitForInterrupt() {
  while (!Interrupted(kLong)) RETURN_IF_ERROR(CheckRunning());
  return absl::OkStatus();
}

void DevStack::StopOne(Running& running) {
  if (running.process.Wait(absl::ZeroDuration()).has_value()) return;
  say_(fmt::format("Stopping the {} …", running.name));
  running.process.Signal(SIGTERM).IgnoreError();
  int interrupts = 0;
  while (!running.process.Wait(absl::ZeroDuration()).has_value()) {
    // Its own end wakes this too; the ends of others, stopped before, are no longer in the list.
    if (!Interrupted(kLong)) continue;
    running.process.Signal(++interrupts < kInterruptsBeforeKill ? SIGTERM : SIGKILL).IgnoreError();
  }
}

void DevStack::Stop() {
  for (; !running_.empty(); running_.pop_back()) StopOne(running_.back());
}

}  // namespace forebay::cli
