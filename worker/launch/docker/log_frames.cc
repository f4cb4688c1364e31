#include "worker/launch/docker/log_frames.h"

namespace forebay::worker {
namespace {

constexpr size_t kHeaderBytes = 8;
// Engines cut lines at 16 KiB; a longer frame is no frame.
constexpr size_t kLongestPayload = 4 << 20;

uint8_t Byte(std::string_view bytes, size_t at) { return static_cast<uint8_t>(bytes[at]); }

size_t LengthOf(std::string_view header) {
  return (size_t{Byte(header, 4)} << 24) | (size_t{Byte(header, 5)} << 16) |
         (size_t{Byte(header, 6)} << 8) | size_t{Byte(header, 7)};
}

bool IsHeader(std::string_view header) {
  return Byte(header, 0) <= 2 && header[1] == 0 && header[2] == 0 && header[3] == 0 &&
         LengthOf(header) <= kLongestPayload;
}

}  // namespace

bool LogFrames::Feed(std::string_view bytes) {
  if (broken_) return false;
  pending_ += bytes;
  std::string_view rest = pending_;
  while (rest.size() >= kHeaderBytes) {
    if (!IsHeader(rest)) {
      broken_ = true;
      return false;
    }
    const size_t length = LengthOf(rest);
    if (rest.size() < kHeaderBytes + length) break;
    Take(Byte(rest, 0), rest.substr(kHeaderBytes, length));
    rest.remove_prefix(kHeaderBytes + length);
  }
  pending_.erase(0, pending_.size() - rest.size());
  return true;
}

void LogFrames::Take(int stream, std::string_view payload) {
  LogFrame frame;
  frame.stream = stream == 2 ? 2 : 1;
  const size_t blank = payload.find(' ');
  if (blank != std::string_view::npos) {
    frame.time_micros = EngineTimeMicros(payload.substr(0, blank));
    // What has no time in front is all output.
    if (frame.time_micros != 0) payload.remove_prefix(blank + 1);
  }
  frame.bytes = payload;
  frame_(frame);
}

}  // namespace forebay::worker
