#pragma once

// The engine's stream of a container's output, cut into what was written: frames of eight bytes of
// header (stream, three zeros, length in network order) and a payload
// (https://docs.docker.com/reference/api/engine/version/v1.41/#tag/Container/operation/ContainerAttach),
// each payload with a time in front.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "worker/launch/engine_words.h"

namespace forebay::worker {

struct LogFrame {
  // 1 standard output, 2 standard error.
  int stream = 1;
  int64_t time_micros = 0;
  // Valid during the call. Ends with a line feed unless the line goes on in the next frame of the
  // stream, or the output ended without one.
  std::string_view bytes;
};

// Not thread-safe.
class LogFrames {
 public:
  explicit LogFrames(std::function<void(const LogFrame&)> frame) : frame_(std::move(frame)) {}

  // False from the moment on when the bytes are no such stream.
  bool Feed(std::string_view bytes);

 private:
  void Take(int stream, std::string_view payload);

  const std::function<void(const LogFrame&)> frame_;
  std::string pending_;
  bool broken_ = false;
};

}  // namespace forebay::worker
