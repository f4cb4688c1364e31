#pragma once

// The server and the worker that `forebay dev` runs: started in order, stopped in reverse, watched in between.

#include <signal.h>
#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cli/line_pump.h"

namespace forebay::cli {

// Only one per process, used by one thread, made before any other thread: it blocks SIGINT, SIGTERM and SIGCHLD, which
// are then taken one by one here.
class DevStack {
 public:
  // `say` gets lines for people, from several threads but never two at once.
  explicit DevStack(std::function<void(std::string_view)> say);
  // Stops what still runs.
  ~DevStack();

  // Starts a program; its output is said with `name` before each line.
  absl::Status Start(const std::string& name, const std::string& program, const std::vector<std::string>& arguments);

  // Until `ready` holds, the user interrupts (CANCELLED), or a program ends (CHILD_ENDED with its exit code).
  absl::Status WaitUntil(const std::function<bool()>& ready);
  // Until the user interrupts (OK) or a program ends.
  absl::Status WaitForInterrupt();
  // SIGTERM to the program started last, then to the one before, each awaited. A further interrupt is passed on to the
  // one that is awaited; the third kills it.
  void Stop();

 private:
  struct Running {
    std::string name;
    pid_t pid;
    std::unique_ptr<LinePump> output;
    // Wait status once ended.
    std::optional<int> ended;
  };

  // Takes one signal, waiting at most `most`; 0 when none came. Reaps children on the way.
  int NextSignal(absl::Duration most);
  absl::Status EndedStatus() const;
  void StopOne(Running& running);

  std::function<void(std::string_view)> say_;
  sigset_t signals_;
  std::vector<Running> running_;
};

}  // namespace forebay::cli
