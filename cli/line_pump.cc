#include "cli/line_pump.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <utility>

namespace forebay::cli {
namespace {

// A child that never ends its line must not fill the memory.
constexpr size_t kLongestLine = 1 << 16;

}  // namespace

LinePump::LinePump(UniqueFd fd, std::function<void(std::string_view)> take)
    : fd_(std::move(fd)),
      stop_(eventfd(0, EFD_CLOEXEC)),
      take_(std::move(take)),
      thread_([this] { Run(); }) {}

LinePump::~LinePump() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t written = write(stop_.get(), &one, sizeof(one));
  thread_.join();
}

bool LinePump::AwaitInput() {
  pollfd watched[] = {{fd_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}};
  while (poll(watched, 2, -1) < 0 && errno == EINTR) {
  }
  return watched[0].revents != 0;
}

void LinePump::Take(std::string_view bytes) {
  pending_ += bytes;
  size_t begin = 0;
  for (size_t end = pending_.find('\n'); end != std::string::npos;
       end = pending_.find('\n', begin)) {
    take_(std::string_view(pending_).substr(begin, end - begin));
    begin = end + 1;
  }
  pending_.erase(0, begin);
  if (pending_.size() < kLongestLine) return;
  take_(pending_);
  pending_.clear();
}

void LinePump::Run() {
  char buffer[4096];
  while (AwaitInput()) {
    const ssize_t count = read(fd_.get(), buffer, sizeof(buffer));
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    Take({buffer, static_cast<size_t>(count)});
  }
  if (!pending_.empty()) take_(pending_);
}

}  // namespace forebay::cli
