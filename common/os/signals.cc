#include "common/os/signals.h"

#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/base/clock.h"

namespace forebay {
namespace {

int PollMillis(absl::Duration left) {
  if (left == absl::InfiniteDuration()) return -1;
  constexpr int64_t kLongest = 1 << 30;
  return static_cast<int>(std::clamp<int64_t>(
      absl::ToInt64Milliseconds(absl::Ceil(left, absl::Milliseconds(1))), 0, kLongest));
}

std::optional<int> ReadSignal(int fd) {
  signalfd_siginfo info{};
  if (::read(fd, &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return std::nullopt;
  return static_cast<int>(info.ssi_signo);
}

}  // namespace

SignalWaiter::SignalWaiter(std::initializer_list<int> signals) {
  sigset_t set;
  ::sigemptyset(&set);
  for (int signal : signals) ::sigaddset(&set, signal);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  fd_.Reset(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
}

std::optional<int> SignalWaiter::Wait(absl::Duration most) {
  const absl::Duration end = SystemClock().Monotonic() + most;
  while (true) {
    const absl::Duration left = end - SystemClock().Monotonic();
    pollfd poll_fd{fd_.get(), POLLIN, 0};
    ::poll(&poll_fd, 1, PollMillis(left));
    if (auto signal = ReadSignal(fd_.get())) return signal;
    if (left <= absl::ZeroDuration()) return std::nullopt;
  }
}

void IgnoreBrokenPipes() { ::signal(SIGPIPE, SIG_IGN); }

}  // namespace forebay
