#include "worker/launch/output/run_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "common/base/status.h"
#include "common/os/errno_status.h"
#include "common/os/files.h"
#include "common/os/unique_fd.h"

namespace forebay::output {
namespace {

std::string ReadPrefix(const std::string& path) {
  constexpr size_t kMostBytes = 4 << 20;
  std::string bytes(kMostBytes, '\0');
  const UniqueFd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  const ssize_t got = file.ok() ? ::pread(file.get(), bytes.data(), bytes.size(), 0) : 0;
  bytes.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return bytes;
}

// The place behind the first `count` records, or nothing if there are not so many.
std::optional<size_t> BehindRecords(std::string_view file, int64_t count) {
  size_t offset = 0;
  for (int64_t i = 0; i < count; ++i) {
    const auto record = FirstRecord(file.substr(offset));
    if (!record.has_value()) return std::nullopt;
    offset += record->size();
  }
  return offset;
}

std::string StandIns(int64_t count) {
  std::string file;
  for (int64_t i = 0; i < count; ++i) {
    OutputHeader header;
    header.stream = Stream::kSystem;
    AppendRecord(file, header, "[forebay] (a line of the launch, lost with its worker)");
  }
  return file;
}

}  // namespace

RunLog::RunLog(std::string path, LogLimits limits)
    : path_(std::move(path)),
      limits_(limits),
      output_splitter_([this](std::string_view text, bool partial) {
        writer_->Line(Stream::kStdout, text, partial, line_micros_ / 1000);
      }),
      errors_splitter_([this](std::string_view text, bool partial) {
        writer_->Line(Stream::kStderr, text, partial, line_micros_ / 1000);
      }) {}

absl::Status RunLog::Open(int64_t lines) {
  std::string kept;
  if (lines > 0) {
    const std::string before = ReadPrefix(path_);
    const auto end = BehindRecords(before, lines);
    kept = end.has_value() ? before.substr(0, *end) : StandIns(lines);
  }
  RETURN_IF_ERROR(WriteFileAtomically(path_, kept, {.mode = 0600}));
  lines_ = lines;
  return OpenWriter();
}

absl::Status RunLog::OpenWriter() {
  UniqueFd file(::open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (!file.ok()) return ErrnoStatus(errno, fmt::format("cannot open '{}'", path_));
  first_lines_ = lines_;
  writer_ = std::make_unique<OutputWriter>(std::move(file), limits_.rate_bytes, limits_.burst_bytes,
                                           [this] { return line_micros_; });
  return absl::OkStatus();
}

void RunLog::Say(std::string_view text, int64_t wall_micros) {
  line_micros_ = wall_micros;
  writer_->Line(Stream::kSystem, text, false, wall_micros / 1000);
  Publish();
}

absl::Status RunLog::BeginOutput() {
  line_micros_ = 0;
  return OpenWriter();
}

void RunLog::Take(Stream stream, int64_t time_micros, std::string_view bytes) {
  line_micros_ = std::max(line_micros_, time_micros);
  (stream == Stream::kStderr ? errors_splitter_ : output_splitter_).Feed(bytes);
}

void RunLog::Mark(std::string_view text) {
  output_splitter_.Finish();
  errors_splitter_.Finish();
  writer_->Line(Stream::kSystem, text, false, line_micros_ / 1000);
}

bool RunLog::Publish() {
  writer_->Flush(line_micros_ / 1000);
  const int64_t lines = first_lines_ + writer_->lines();
  return lines_.exchange(lines) != lines;
}

void RunLog::Finish() {
  output_splitter_.Finish();
  errors_splitter_.Finish();
  writer_->Finish(line_micros_ / 1000);
  lines_ = first_lines_ + writer_->lines();
  complete_ = true;
}

}  // namespace forebay::output
