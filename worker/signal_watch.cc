#include "worker/signal_watch.h"

#include <poll.h>
#include <sys/eventfd.h>

#include "common/obs/log.h"

namespace forebay::worker {

SignalWatch::SignalWatch(SignalWaiter& signals, Registration& registration)
    : signals_(signals),
      registration_(registration),
      end_(eventfd(0, EFD_CLOEXEC)),
      thread_([this] { Run(); }) {}

SignalWatch::~SignalWatch() {
  eventfd_write(end_.get(), 1);
  thread_.join();
}

void SignalWatch::Run() {
  int count = 0;
  while (true) {
    pollfd watched[] = {{signals_.fd(), POLLIN, 0}, {end_.get(), POLLIN, 0}};
    poll(watched, 2, -1);
    if (watched[1].revents != 0) return;
    if (signals_.Wait(absl::ZeroDuration()).has_value()) Heed(++count);
  }
}

void SignalWatch::Heed(int count) {
  if (count == 1) {
    spdlog::info("draining: nothing new is taken; once more ends the runs");
    registration_.Ask(Ending::kDrain);
  } else if (count == 2) {
    spdlog::info("the runs are asked to end; once more leaves them to the next worker");
    registration_.Ask(Ending::kStopRuns);
  } else {
    registration_.End(absl::CancelledError("ended before its runs were over"));
  }
}

}  // namespace forebay::worker
