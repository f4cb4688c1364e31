#pragma once

// The server and the worker that `forebay dev` runs: started in order, stopped in reverse, watched
// in between.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cli/line_pump.h"
#include "common/os/signals.h"
#include "common/os/subprocess.h"

namespace forebay::cli {

// One per process, used by one thread, made before any other thread: it takes SIGINT, SIGTERM and
// SIGHUP for itself.
class DevStack {
 public:
  // `say` gets lines for people, from several threads but never two at once.
  explicit DevStack(std::function<void(std::string_view)> say);
  // Stops what still runs.
  ~DevStack();

  // A line of our own, between those of the programs.
  void Say(std::string_view line) { say_(line); }

  // Starts a program, which gets SIGTERM when this process dies; its output is said with `name`
  // before each line.
  absl::Status Start(const std::string& name, const std::string& program,
                     const std::vector<std::string>& arguments);

  // Until `ready` holds, the user interrupts (CANCELLED), or a program ends (CHILD_ENDED with its
  // exit code).
  absl::Status WaitUntil(const std::function<bool()>& ready);
  // Until the user interrupts (OK) or a program ends.
  absl::Status WaitForInterrupt();
  // SIGTERM to the program started last, then to the one before, each awaited. A further interrupt
  // is passed on to the one that is awaited; the third kills it.
  void Stop();

 private:
  struct Running {
    std::string name;
    Subprocess process;
    std::unique_ptr<LinePump> output;
  };

  // Waits for a signal or the end of a program, `most` at most. Whether a signal came.
  bool Interrupted(absl::Duration most);
  // CHILD_ENDED when one has.
  absl::Status CheckRunning();
  void StopOne(Running& running);

  std::function<void(std::string_view)> say_;
  SignalWaiter signals_;
  std::vector<Running> running_;
};

}  // namespace forebay::cli
