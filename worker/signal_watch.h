#pragma once

// SIGTERM and SIGINT as wishes of the operator: the first drains the worker, the second ends its
// runs, the third ends the worker and leaves what runs to the next one.

#include <thread>

#include "common/os/signals.h"
#include "common/os/unique_fd.h"
#include "worker/session/registration.h"

namespace forebay::worker {

// Waits on a thread of its own until destroyed.
class SignalWatch {
 public:
  SignalWatch(SignalWaiter& signals, Registration& registration);
  ~SignalWatch();
  SignalWatch(const SignalWatch&) = delete;
  SignalWatch& operator=(const SignalWatch&) = delete;

 private:
  void Run();
  void Heed(int count);

  SignalWaiter& signals_;
  Registration& registration_;
  // Readable when the watch is over.
  UniqueFd end_;
  std::thread thread_;
};

}  // namespace forebay::worker
