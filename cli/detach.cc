#include "cli/detach.h"

#include <signal.h>
#include <unistd.h>

#include "cli/exit_code.h"

namespace forebay::cli {
namespace {

// Written once before the handler is installed, read by the handler.
std::string& Farewell() {
  static std::string text;
  return text;
}

extern "C" void OnInterrupt(int) {
  const std::string& text = Farewell();
  [[maybe_unused]] const ssize_t ignored = write(STDERR_FILENO, text.data(), text.size());
  _exit(kExitInterrupted);
}

}  // namespace

void DetachOnInterrupt(std::string farewell) {
  Farewell() = std::move(farewell);
  struct sigaction action = {};
  action.sa_handler = OnInterrupt;
  sigaction(SIGINT, &action, nullptr);
}

}  // namespace forebay::cli
