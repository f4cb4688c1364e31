#include "worker/launch/kubernetes/log_cursor.h"

#include <algorithm>

#include "absl/time/time.h"

namespace forebay::worker {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;
constexpr int64_t kNanosPerMicro = 1000;
constexpr size_t kLongestStamp = 40;

// 0: no time.
int64_t NanosOf(const std::string& stamp) {
  absl::Time time;
  std::string error;
  if (stamp.size() > kLongestStamp || !absl::ParseTime(absl::RFC3339_full, stamp, &time, &error)) {
    return 0;
  }
  return absl::ToUnixNanos(time);
}

}  // namespace

void LogCursor::Restart() {
  skip_lines_ = of_newest_ + of_second_before_;
  skip_bytes_ = part_bytes_;
  at_ = At::kStamp;
  stamp_.clear();
}

void LogCursor::Feed(std::string_view bytes) {
  while (!bytes.empty()) {
    if (at_ == At::kStamp) {
      const size_t end = bytes.find_first_of(" \n");
      // What is no time at all shall not be kept for ever.
      if (stamp_.size() <= kLongestStamp) stamp_ += bytes.substr(0, end);
      if (end == std::string_view::npos) return;
      const bool has_text = bytes[end] == ' ';
      bytes.remove_prefix(end + 1);
      if (has_text) TakeStamp();
      stamp_.clear();
      continue;
    }
    const size_t end = bytes.find('\n');
    const std::string_view text = bytes.substr(0, end == std::string_view::npos ? end : end + 1);
    if (at_ == At::kText) TakeText(text);
    if (end != std::string_view::npos) EndLine();
    bytes.remove_prefix(text.size());
  }
}

void LogCursor::TakeStamp() {
  nanos_ = NanosOf(stamp_);
  at_ = At::kSkippedText;
  if (nanos_ == 0) return;
  // A log that was rotated away does not have the lines that were taken, but only later ones.
  if (skip_lines_ > 0 && nanos_ <= newest_nanos_) {
    --skip_lines_;
    return;
  }
  skip_lines_ = 0;
  at_ = At::kText;
  if (part_bytes_ > 0 && part_nanos_ != nanos_) {
    // The rest of the line that was cut never comes.
    emit_(part_nanos_ / kNanosPerMicro, "\n");
    part_bytes_ = skip_bytes_ = 0;
  }
  part_nanos_ = nanos_;
}

void LogCursor::TakeText(std::string_view bytes) {
  const size_t known = std::min(skip_bytes_, bytes.size());
  skip_bytes_ -= known;
  bytes.remove_prefix(known);
  if (bytes.empty()) return;
  part_bytes_ += bytes.size();
  emit_(nanos_ / kNanosPerMicro, bytes);
}

void LogCursor::EndLine() {
  if (at_ == At::kText) Count();
  at_ = At::kStamp;
}

void LogCursor::Count() {
  part_bytes_ = skip_bytes_ = 0;
  const int64_t second = nanos_ / kNanosPerSecond;
  newest_nanos_ = std::max(newest_nanos_, nanos_);
  if (second > newest_second_) {
    of_second_before_ = second == newest_second_ + 1 ? of_newest_ : 0;
    of_newest_ = 0;
    newest_second_ = second;
  }
  if (second == newest_second_) ++of_newest_;
  if (second == newest_second_ - 1) ++of_second_before_;
}

}  // namespace forebay::worker
