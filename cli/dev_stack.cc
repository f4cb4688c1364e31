#include "cli/dev_stack.h"

#include <fmt/format.h>
#include <sys/wait.h>

#include <algorithm>
#include <mutex>

#include "cli/exit_code.h"
#include "cli/process.h"
#include "common/base/status.h"

namespace forebay::cli {
namespace {

constexpr absl::Duration kTick = absl::Milliseconds(20);
constexpr absl::Duration kLong = absl::Seconds(3600);
constexpr int kInterruptsBeforeKill = 2;

int ExitCodeOfWait(int status) {
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  return 128 + WTERMSIG(status);
}

std::string EndOf(int status) {
  if (WIFEXITED(status)) return fmt::format("with exit code {}", WEXITSTATUS(status));
  return fmt::format("by signal {}", WTERMSIG(status));
}

}  // namespace

DevStack::DevStack(std::function<void(std::string_view)> say) {
  auto mutex = std::make_shared<std::mutex>();
  say_ = [mutex, say = std::move(say)](std::string_view line) {
    const std::lock_guard lock(*mutex);
    say(line);
  };
  sigemptyset(&signals_);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGCHLD}) sigaddset(&signals_, signal);
  sigprocmask(SIG_BLOCK, &signals_, nullptr);
}

DevStack::~DevStack() { Stop(); }

absl::Status DevStack::Start(const std::string& name, const std::string& program,
                             const std::vector<std::string>& arguments) {
  ASSIGN_OR_RETURN(const Child child, Spawn(program, arguments));
  auto pump = std::make_unique<LinePump>(child.output, [say = say_, name](std::string_view line) {
    say(fmt::format("{:>6} | {}", name, line));
  });
  running_.push_back({name, child.pid, std::move(pump), std::nullopt});
  return absl::OkStatus();
}

int DevStack::NextSignal(absl::Duration most) {
  const timespec limit = absl::ToTimespec(most);
  const int signal = sigtimedwait(&signals_, nullptr, &limit);
  for (Running& running : running_) {
    int status = 0;
    if (!running.ended.has_value() && waitpid(running.pid, &status, WNOHANG) == running.pid) running.ended = status;
  }
  return signal > 0 ? signal : 0;
}

absl::Status DevStack::EndedStatus() const {
  for (const Running& running : running_) {
    if (!running.ended.has_value()) continue;
    const int code = ExitCodeOfWait(*running.ended);
    return Error(absl::StatusCode::kInternal, kChildEnded)
        .With("exit_code", std::to_string(code == 0 ? kExitError : code))
        .Says("the {} ended {}", running.name, EndOf(*running.ended));
  }
  return absl::OkStatus();
}

absl::Status DevStack::WaitUntil(const std::function<bool()>& ready) {
  while (!ready()) {
    const int signal = NextSignal(kTick);
    RETURN_IF_ERROR(EndedStatus());
    if (signal != 0 && signal != SIGCHLD) return absl::CancelledError("interrupted");
  }
  return absl::OkStatus();
}

absl::Status DevStack::WaitForInterrupt() {
  for (;;) {
    const int signal = NextSignal(kLong);
    RETURN_IF_ERROR(EndedStatus());
    if (signal != 0 && signal != SIGCHLD) return absl::OkStatus();
  }
}

void DevStack::StopOne(Running& running) {
  if (running.ended.has_value()) return;
  say_(fmt::format("Stopping the {} …", running.name));
  kill(running.pid, SIGTERM);
  int interrupts = 0;
  while (!running.ended.has_value()) {
    const int signal = NextSignal(kLong);
    if (signal == 0 || signal == SIGCHLD) continue;
    kill(running.pid, ++interrupts < kInterruptsBeforeKill ? SIGTERM : SIGKILL);
  }
}

void DevStack::Stop() {
  std::for_each(running_.rbegin(), running_.rend(), [this](Running& running) { StopOne(running); });
  running_.clear();
}

}  // namespace forebay::cli
