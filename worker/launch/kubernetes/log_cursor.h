#pragma once

// A place in the log of a container that is read in pieces: each answer of the kubelet begins at a
// whole second, so some of its lines have been taken before. Pure.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

namespace forebay::worker {

// Lines come as "2026-01-02T03:04:05.123456789Z text\n". What has no time in front is the kubelet's
// own word and is passed over. Not thread-safe.
class LogCursor {
 public:
  // Bytes that were not taken before, and when their line was written. A line's bytes end with a
  // line feed unless more of it follows.
  using Emit = std::function<void(int64_t time_micros, std::string_view bytes)>;
  explicit LogCursor(Emit emit) : emit_(std::move(emit)) {}

  // The second from which the next answer has to come; 0: from the beginning.
  int64_t since_seconds() const { return newest_second_ > 0 ? newest_second_ - 1 : 0; }
  // Such an answer begins.
  void Restart();
  void Feed(std::string_view bytes);

 private:
  void TakeStamp();
  void TakeText(std::string_view bytes);
  void EndLine();
  void Count();

  const Emit emit_;
  // Of complete lines that were taken: the newest time, how many are of its second, and how many of
  // the one before. Times may go back a little where a container writes to two streams.
  int64_t newest_nanos_ = 0;
  int64_t newest_second_ = 0;
  int64_t of_newest_ = 0;
  int64_t of_second_before_ = 0;
  // Of the line that was taken in part.
  int64_t part_nanos_ = 0;
  size_t part_bytes_ = 0;

  // Where the answer is: lines still to be passed over, and bytes of the line behind them.
  int64_t skip_lines_ = 0;
  size_t skip_bytes_ = 0;
  enum class At { kStamp, kText, kSkippedText };
  At at_ = At::kStamp;
  std::string stamp_;
  int64_t nanos_ = 0;
};

}  // namespace forebay::worker
