#include "worker/launch/docker/container_log.h"

#include "common/base/status.h"
#include "worker/launch/docker/container_state.h"
#include "worker/launch/docker/log_frames.h"

namespace forebay::worker {
namespace {

constexpr absl::Duration kTryAgain = absl::Milliseconds(500);
// An engine that refuses to show the log of an ended container will not think better of it.
constexpr int kMostRefusals = 20;

output::Stream StreamOf(const LogFrame& frame) {
  return frame.stream == 2 ? output::Stream::kStderr : output::Stream::kStdout;
}

}  // namespace

ContainerLog::ContainerLog(EngineApi& engine, std::string path, output::LogLimits limits,
                           std::function<void()> changed)
    : engine_(engine), changed_(std::move(changed)), log_(std::move(path), limits) {}

ContainerLog::~ContainerLog() {
  {
    MutexLock lock(mutex_);
    ending_ = true;
    ending_changed_.NotifyAll();
  }
  cancellation_.Cancel();
  if (thread_.joinable()) thread_.join();
}

void ContainerLog::Say(std::string_view text, int64_t wall_micros) {
  log_.Say(text, wall_micros);
  changed_();
}

void ContainerLog::Follow(const std::string& container) {
  if (thread_.joinable() || complete() || !log_.BeginOutput().ok()) return;
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
    log_.Take(StreamOf(frame), frame.time_micros, frame.bytes);
  });
  bool readable = true;
  RETURN_IF_ERROR(engine_.ReadLogs(
      container, follow,
      [&](std::string_view bytes) {
        readable = frames.Feed(bytes);
        if (log_.Publish()) changed_();
        return readable;
      },
      cancellation_));
  if (readable) return absl::OkStatus();
  return absl::InternalError("the engine's log is not in frames");
}

void ContainerLog::Finish() {
  log_.Finish();
  changed_();
}

bool ContainerLog::Pause() {
  MutexLock lock(mutex_);
  if (!ending_) ending_changed_.WaitFor(mutex_, kTryAgain);
  return !ending_;
}

}  // namespace forebay::worker
