#include "worker/launch/output/log_tail.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "common/base/status.h"
#include "common/os/errno_status.h"
#include "common/os/unique_fd.h"
#include "worker/launch/output/output_file.h"

namespace forebay::worker {
namespace {

constexpr size_t kChunk = 256 * 1024;
static_assert(kChunk > output::kMostLineBytes + sizeof(output::OutputHeader));

// Walks over the records of a file from an offset on.
class RecordReader {
 public:
  RecordReader(int fd, int64_t offset) : fd_(fd), offset_(offset) {}

  // Nothing at the end of what is complete. The text is valid until the next call.
  std::optional<output::OutputRecord> Next() {
    auto record = output::FirstRecord(rest_);
    if (!record.has_value()) {
      Fill();
      record = output::FirstRecord(rest_);
    }
    if (!record.has_value()) return std::nullopt;
    rest_.remove_prefix(record->size());
    offset_ += static_cast<int64_t>(record->size());
    return record;
  }
  // Of the record that Next gives.
  int64_t offset() const { return offset_; }

 private:
  void Fill() {
    chunk_.resize(kChunk);
    const ssize_t got = ::pread(fd_, chunk_.data(), chunk_.size(), offset_);
    rest_ = std::string_view(chunk_).substr(0, got > 0 ? static_cast<size_t>(got) : 0);
  }

  const int fd_;
  int64_t offset_;
  std::string chunk_;
  std::string_view rest_;
};

v1::LogEntry ToEntry(const output::OutputRecord& record) {
  v1::LogEntry entry;
  entry.set_time_micros(record.header.time_micros);
  entry.set_stream(static_cast<v1::LogStream>(record.header.stream));
  entry.set_text(std::string(record.text));
  entry.set_partial(record.header.partial != 0);
  entry.set_dropped_lines(record.header.dropped_lines);
  return entry;
}

// No descriptor when there is no file yet.
absl::StatusOr<UniqueFd> OpenOutput(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (fd.ok() || errno == ENOENT) return fd;
  return ErrnoStatus(errno, fmt::format("cannot open '{}'", path));
}

}  // namespace

absl::StatusOr<std::vector<v1::LogEntry>> LogTail::Read(const std::string& path, int64_t from,
                                                        int most_lines, size_t most_bytes) {
  ASSIGN_OR_RETURN(UniqueFd file, OpenOutput(path));
  std::vector<v1::LogEntry> entries;
  if (!file.ok()) return entries;
  Place place = NearestPlace(path, from);
  RecordReader reader(file.get(), place.offset);
  size_t bytes = 0;
  while (static_cast<int>(entries.size()) < most_lines && (bytes < most_bytes || entries.empty())) {
    const auto record = reader.Next();
    if (!record.has_value()) break;
    if (place.sequence++ < from) continue;
    bytes += record->size();
    entries.push_back(ToEntry(*record));
  }
  Remember(path, {place.sequence, reader.offset()});
  return entries;
}

absl::StatusOr<int64_t> LogTail::Count(const std::string& path) {
  ASSIGN_OR_RETURN(UniqueFd file, OpenOutput(path));
  int64_t count = 0;
  if (!file.ok()) return count;
  RecordReader reader(file.get(), 0);
  while (reader.Next().has_value()) ++count;
  return count;
}

LogTail::Place LogTail::NearestPlace(const std::string& path, int64_t from) {
  MutexLock lock(mutex_);
  const auto known = places_.find(path);
  if (known == places_.end() || known->second.sequence > from) return {};
  return known->second;
}

void LogTail::Remember(const std::string& path, const Place& place) {
  MutexLock lock(mutex_);
  places_[path] = place;
}

void LogTail::Forget(const std::string& path) {
  MutexLock lock(mutex_);
  places_.erase(path);
}

}  // namespace forebay::worker
