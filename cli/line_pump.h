#pragma once

// Passes the output of a child on, line by line, each with the child's name before it.

#include <functional>
#include <string>
#include <string_view>
#include <thread>

namespace forebay::cli {

// Reads on a thread of its own until the other end is closed. The destructor waits for that.
class LinePump {
 public:
  // Takes over `fd`. `take` gets each line without its end, from the pump's thread.
  LinePump(int fd, std::function<void(std::string_view)> take);
  ~LinePump();
  LinePump(const LinePump&) = delete;
  LinePump& operator=(const LinePump&) = delete;

 private:
  void Run();

  const int fd_;
  const std::function<void(std::string_view)> take_;
  std::thread thread_;
};

}  // namespace forebay::cli
