#include "cli/line_pump.h"

#include <unistd.h>

#include <cerrno>
#include <utility>

namespace forebay::cli {
namespace {

// A child that never ends its line must not fill the memory.
constexpr size_t kLongestLine = 1 << 16;

}  // namespace

LinePump::LinePump(int fd, std::function<void(std::string_view)> take)
    : fd_(fd), take_(std::move(take)), thread_([this] { Run(); }) {}

LinePump::~LinePump() {
  thread_.join();
  close(fd_);
}

void LinePump::Run() {
  std::string pending;
  char buffer[4096];
  for (;;) {
    const ssize_t count = read(fd_, buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    pending.append(buffer, static_cast<size_t>(count));
    size_t begin = 0;
    for (size_t end = pending.find('\n'); end != std::string::npos; end = pending.find('\n', begin)) {
      take_(std::string_view(pending).substr(begin, end - begin));
      begin = end + 1;
    }
    pending.erase(0, begin);
    if (pending.size() < kLongestLine) continue;
    take_(pending);
    pending.clear();
  }
  if (!pending.empty()) take_(pending);
}

}  // namespace forebay::cli
