#include "worker/launch/docker/container_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "common/base/status.h"
#include "common/obs/log.h"
#include "common/os/errno_status.h"
#include "common/os/files.h"
#include "worker/launch/docker/container_state.h"
#include "worker/launch/docker/log_frames.h"
#include "worker/launch/output/output_file.h"

namespace forebay::worker {
namespace {

constexpr absl::Duration kTryAgain = absl::Milliseconds(500);
// An engine that refuses to show the log of an ended container will not think better of it.
constexpr int kMostRefusals = 20;

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
    const auto record = output::FirstRecord(file.substr(offset));
    if (!record.has_value()) return std::nullopt;
    offset += record->size();
  }
  return offset;
}

std::string StandIns(int64_t count) {
  std::string file;
  for (int64_t i = 0; i < count; ++i) {
    output::OutputHeader header;
    header.stream = output::Stream::kSystem;
    output::AppendRecord(file, header, "[forebay] (a line of the launch, lost with its worker)");
  }
  return file;
}

}  // namespace

ContainerLog::ContainerLog(EngineApi& engine, std::string path, LogLimits limits,
                           std::function<void()> changed)
    : engine_(engine),
      path_(std::move(path)),
      limits_(limits),
      changed_(std::move(changed)),
      output_splitter_([this](std::string_view text, bool partial) {
        writer_->Line(output::Stream::kStdout, text, partial, line_micros_ / 1000);
      }),
      errors_splitter_([this](std::string_view text, bool partial) {
        writer_->Line(output::Stream::kStderr, text, partial, line_micros_ / 1000);
      }) {}

ContainerLog::~ContainerLog() {
  {
    MutexLock lock(mutex_);
    ending_ = true;
    ending_changed_.NotifyAll();
  }
  cancellation_.Cancel();
  if (thread_.joinable()) thread_.join();
}

absl::Status ContainerLog::Open(int64_t lines) {
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

absl::Status ContainerLog::OpenWriter() {
  UniqueFd file(::open(path_.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC));
  if (!file.ok()) return ErrnoStatus(errno, fmt::format("cannot open '{}'", path_));
  first_lines_ = lines_;
  writer_ = std::make_unique<output::OutputWriter>(
      std::move(file), limits_.rate_bytes, limits_.burst_bytes, [this] { return line_micros_; });
  return absl::OkStatus();
}

void ContainerLog::Say(std::string_view text, int64_t wall_micros) {
  line_micros_ = wall_micros;
  writer_->Line(output::Stream::kSystem, text, false, wall_micros / 1000);
  Publish();
}

void ContainerLog::Follow(const std::string& container) {
  if (thread_.joinable() || complete_) return;
  // With a rate of its own, and times by the engine's clock alone: what becomes of the container's
  // lines does not depend on those in front of them.
  line_micros_ = 0;
  if (!OpenWriter().ok()) return;
  thread_ = std::thread([this, container] { Run(container); });
}

void ContainerLog::Run(const std::string& container) {
  int refusals = 0;
  while (true) {
    const absl::Status followed = ReadOnce(container, true);
    if (absl::IsCancelled(followed)) return;
    const auto state = engine_.InspectContainer(container);
    const bool gone = absl::IsNotFound(state.status());
    const bool over = gone || (state.ok() && HasEnded(*state));
    // What was written just before the end may not have been there for those who followed.
    const absl::Status rest = over && !gone ? ReadOnce(container, false) : followed;
    if (absl::IsCancelled(rest)) return;
    const bool refused = over && !rest.ok() && !absl::IsUnavailable(rest);
    if (refused) ++refusals;
    if (gone || (over && rest.ok()) || refusals >= kMostRefusals) return Finish();
    if (!Pause()) return;
  }
}

absl::Status ContainerLog::ReadOnce(const std::string& container, bool follow) {
  int64_t seen = 0;
  LogFrames frames([this, &seen](const LogFrame& frame) {
    if (++seen <= frames_) return;
    frames_ = seen;
    Take(frame);
  });
  bool readable = true;
  RETURN_IF_ERROR(engine_.ReadLogs(
      container, follow,
      [&](std::string_view bytes) {
        readable = frames.Feed(bytes);
        Publish();
        return readable;
      },
      cancellation_));
  if (readable) return absl::OkStatus();
  return absl::InternalError("the engine's log is not in frames");
}

void ContainerLog::Take(const LogFrame& frame) {
  line_micros_ = std::max(line_micros_, frame.time_micros);
  (frame.stream == 2 ? errors_splitter_ : output_splitter_).Feed(frame.bytes);
}

void ContainerLog::Finish() {
  output_splitter_.Finish();
  errors_splitter_.Finish();
  writer_->Finish(line_micros_ / 1000);
  lines_ = first_lines_ + writer_->lines();
  complete_ = true;
  changed_();
}

void ContainerLog::Publish() {
  writer_->Flush(line_micros_ / 1000);
  const int64_t lines = first_lines_ + writer_->lines();
  if (lines_.exchange(lines) != lines) changed_();
}

bool ContainerLog::Pause() {
  MutexLock lock(mutex_);
  if (!ending_) ending_changed_.WaitFor(mutex_, kTryAgain);
  return !ending_;
}

}  // namespace forebay::worker
