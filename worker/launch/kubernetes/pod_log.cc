#include "worker/launch/kubernetes/pod_log.h"

#include <algorithm>

#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "common/obs/log.h"

namespace forebay::worker {
namespace {

constexpr absl::Duration kFirstPause = absl::Milliseconds(200);
constexpr absl::Duration kLongestPause = absl::Seconds(5);
// The end of a container is told apart from the end of its log, and mostly a moment later.
constexpr absl::Duration kForItsEnd = absl::Seconds(2);
// A kubelet that refuses to show the log of an ended container will not think better of it.
constexpr int kMostFailures = 10;

}  // namespace

PodLog::PodLog(KubernetesApi& api, std::string path, output::LogLimits limits,
               std::function<void()> changed)
    : api_(api),
      changed_(std::move(changed)),
      log_(std::move(path), limits),
      cursor_([this](int64_t time_micros, std::string_view bytes) {
        log_.Take(output::Stream::kStdout, time_micros, bytes);
      }),
      backoff_(kFirstPause, kLongestPause, SystemRandom()) {}

PodLog::~PodLog() {
  uint64_t stream = 0;
  {
    MutexLock lock(mutex_);
    ending_ = true;
    stream = stream_;
  }
  api_.End(stream);
}

void PodLog::Follow(const LogQuery& container) {
  {
    MutexLock lock(mutex_);
    if (following_ || complete()) return;
    following_ = true;
    query_ = container;
  }
  if (!log_.BeginOutput().ok()) return log_.SetComplete();
  Read(absl::ZeroDuration());
}

void PodLog::Read(absl::Duration delay) {
  MutexLock lock(mutex_);
  if (ending_) return;
  reads_all_ = container_ended_;
  query_.follow = !reads_all_;
  query_.since_seconds = cursor_.since_seconds();
  cursor_.Restart();
  stream_ = api_.ReadLog(
      query_, [this](std::string_view bytes) { Take(bytes); },
      [this](const absl::Status& outcome) { Ended(outcome); }, delay);
}

void PodLog::Take(std::string_view bytes) {
  failures_ = 0;
  read_to_end_ = false;
  backoff_.Reset();
  cursor_.Feed(bytes);
  if (log_.Publish()) changed_();
}

void PodLog::Ended(const absl::Status& outcome) {
  bool all = false, over = false;
  {
    MutexLock lock(mutex_);
    all = reads_all_;
    over = container_ended_;
    if (outcome.ok()) at_end_until_ = SystemClock().Monotonic() + kForItsEnd;
  }
  if (outcome.ok()) read_to_end_ = true;
  if (outcome.ok() && all) return Finish();
  if (outcome.ok()) return Read(over ? absl::ZeroDuration() : kForItsEnd);
  // A Pod that is gone has nothing more to show.
  if (over && (absl::IsNotFound(outcome) || ++failures_ >= kMostFailures)) return GiveUp(outcome);
  Read(std::max(backoff_.Next(), RetryAfter(outcome)));
}

void PodLog::GiveUp(const absl::Status& why) {
  // Who reads to the end and then finds the Pod gone has all of it.
  if (!read_to_end_ || !absl::IsNotFound(why)) {
    spdlog::warn("{}: the rest of its output cannot be read: {}", path(), MessageOf(why));
    log_.Mark(
        fmt::format("[forebay] the rest of the output could not be read: {}", MessageOf(why)));
  }
  Finish();
}

void PodLog::Abandon() {
  uint64_t stream = 0;
  {
    MutexLock lock(mutex_);
    if (!following_ || std::exchange(ending_, true)) return;
    stream = stream_;
  }
  api_.End(stream);
  if (complete()) return;
  log_.Mark("[forebay] the node does not answer: the rest of the output is not known");
  log_.Finish();
}

void PodLog::Finish() {
  log_.Finish();
  changed_();
}

void PodLog::ContainerEnded() {
  uint64_t waiting = 0;
  {
    MutexLock lock(mutex_);
    const bool at_end = SystemClock().Monotonic() < at_end_until_;
    if (std::exchange(container_ended_, true) || !at_end) return;
    waiting = stream_;
  }
  // What waits to be asked for shows all now.
  api_.End(waiting);
  if (!complete()) Read(absl::ZeroDuration());
}

}  // namespace forebay::worker
