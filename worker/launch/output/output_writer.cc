#include "worker/launch/output/output_writer.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "common/base/text.h"
#include "worker/launch/output/line_splitter.h"

namespace forebay::output {
namespace {

constexpr int64_t kMarkEveryMillis = 1000;
constexpr size_t kMostBuffered = 256 * 1024;

std::string RateText(int64_t bytes) {
  constexpr int64_t kKib = 1024, kMib = 1024 * kKib;
  if (bytes % kMib == 0) return std::to_string(bytes / kMib) + " MiB/s";
  if (bytes % kKib == 0) return std::to_string(bytes / kKib) + " KiB/s";
  return std::to_string(bytes) + " bytes/s";
}

size_t WriteAll(int fd, std::string_view bytes) {
  size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t written = ::write(fd, bytes.data() + done, bytes.size() - done);
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) break;
    done += static_cast<size_t>(written);
  }
  return done;
}

}  // namespace

OutputWriter::OutputWriter(UniqueFd file, int64_t rate_bytes, int64_t burst_bytes,
                           WallMicros wall_micros)
    : file_(std::move(file)),
      wall_micros_(std::move(wall_micros)),
      rate_(rate_bytes),
      burst_(std::max<int64_t>(burst_bytes, 1)),
      tokens_(static_cast<double>(burst_)) {}

void OutputWriter::Line(Stream stream, std::string_view text, bool partial, int64_t now) {
  if (!Admit(text.size() + 1, now)) {
    Drop(1, disk_full_ ? Cause::kSpace : Cause::kRate, now);
    return;
  }
  if (gap_.lines > 0) Mark();
  Keep(stream, text, partial);
  if (buffer_.size() >= kMostBuffered) Flush(now);
}

bool OutputWriter::Admit(size_t bytes, int64_t now) {
  if (disk_full_) return false;
  if (rate_ <= 0) return true;
  Refill(now);
  const auto most = static_cast<double>(burst_);
  const double wanted = rate_exceeded_ ? static_cast<double>(rate_) : static_cast<double>(bytes);
  rate_exceeded_ = tokens_ < std::min(wanted, most);
  if (rate_exceeded_) return false;
  tokens_ -= static_cast<double>(bytes);
  return true;
}

void OutputWriter::Refill(int64_t now) {
  const int64_t passed = std::max<int64_t>(now - refilled_at_.value_or(now), 0);
  const double earned = static_cast<double>(passed) * static_cast<double>(rate_) / 1000;
  tokens_ = std::min(static_cast<double>(burst_), tokens_ + earned);
  refilled_at_ = now;
}

void OutputWriter::Drop(int64_t lines, Cause cause, int64_t now) {
  if (gap_.lines == 0) gap_.since = now;
  gap_.lines += lines;
  gap_.cause = cause;
}

void OutputWriter::Keep(Stream stream, std::string_view raw, bool partial) {
  const std::string valid = ToValidUtf8(raw);
  std::string_view text = valid;
  OutputHeader header;
  header.stream = stream;
  header.time_micros = wall_micros_();
  // Replacing invalid bytes makes a text longer.
  while (text.size() > kMostLineBytes) {
    const size_t cut = CutBetweenCharacters(text, kMostLineBytes);
    header.partial = 1;
    Append(header, text.substr(0, cut), 1);
    text.remove_prefix(cut);
  }
  header.partial = partial ? 1 : 0;
  Append(header, text, 1);
}

void OutputWriter::Mark() {
  const std::string why = gap_.cause == Cause::kSpace
                              ? "no space left on the worker's disk"
                              : "the run writes faster than " + RateText(rate_);
  const std::string text = "[forebay] " + std::to_string(gap_.lines) + " lines dropped: " + why;
  OutputHeader header;
  header.stream = Stream::kSystem;
  header.time_micros = wall_micros_();
  header.dropped_lines = gap_.lines;
  Append(header, text, gap_.lines);
  gap_ = Gap();
}

void OutputWriter::Append(OutputHeader header, std::string_view text, int64_t stands_for) {
  AppendRecord(buffer_, header, text);
  pending_.push_back({buffer_.size(), stands_for});
}

void OutputWriter::Flush(int64_t now) {
  if (buffer_.empty()) return;
  const size_t written = WriteAll(file_.get(), buffer_);
  disk_full_ = written < buffer_.size();
  SettleUnwritten(written, now);
  buffer_.clear();
  pending_.clear();
}

void OutputWriter::SettleUnwritten(size_t written, int64_t now) {
  size_t kept = 0;
  for (const Pending& record : pending_) {
    if (record.end <= written) {
      kept = record.end;
      ++lines_;
    } else {
      Drop(record.lines, Cause::kSpace, now);
    }
  }
  file_size_ += static_cast<int64_t>(kept);
  // A reader waits at a record that is cut short; the next one has to take its place.
  if (kept < written) {
    (void)!::ftruncate(file_.get(), file_size_);
    ::lseek(file_.get(), file_size_, SEEK_SET);
  }
}

std::optional<int64_t> OutputWriter::NextTick() const {
  if (gap_.lines == 0) return std::nullopt;
  return gap_.since + kMarkEveryMillis;
}

void OutputWriter::Tick(int64_t now) {
  if (gap_.lines == 0 || now < gap_.since + kMarkEveryMillis) return;
  Mark();
  Flush(now);
}

void OutputWriter::Finish(int64_t now) {
  Flush(now);
  if (gap_.lines > 0) Mark();
  Flush(now);
  ::fdatasync(file_.get());
}

}  // namespace forebay::output
