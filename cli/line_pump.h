#pragma once

// Passes the output of a child on, line by line.

#include <functional>
#include <string>
#include <string_view>
#include <thread>

#include "common/os/unique_fd.h"

namespace forebay::cli {

// Reads on a thread of its own until the other end is closed.
class LinePump {
 public:
  // `take` gets each line without its end, from the pump's thread.
  LinePump(UniqueFd fd, std::function<void(std::string_view)> take);
  // Passes on what has been written by now. Does not wait for the other end, which a grandchild may
  // hold open.
  ~LinePump();
  LinePump(const LinePump&) = delete;
  LinePump& operator=(const LinePump&) = delete;

 private:
  void Run();
  // Whether there is something to read, or the end of it; waits until then.
  bool AwaitInput();
  void Take(std::string_view bytes);

  const UniqueFd fd_;
  const UniqueFd stop_;
  const std::function<void(std::string_view)> take_;
  std::string pending_;
  std::thread thread_;
};

}  // namespace forebay::cli
