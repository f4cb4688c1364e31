#include "worker/launch/kubernetes/run.h"

#include <algorithm>

#include "common/base/status.h"
#include "common/obs/log.h"
#include "worker/launch/kubernetes/preparation_lines.h"

namespace forebay::worker {
namespace {

// Of a Pod that cannot begin for hours the rest is not told.
constexpr size_t kMostLines = 200;
constexpr absl::Duration kBetweenGoes = absl::Seconds(1);
constexpr absl::Duration kForLogOfLostNode = absl::Seconds(5);

bool IsOlder(const PodDigest& a, const PodDigest& b) {
  if (a.created_micros != b.created_micros) return a.created_micros < b.created_micros;
  return a.uid < b.uid;
}

}  // namespace

Run::Run(std::string name, std::string name_space, const Clock& clock)
    : name_(std::move(name)), name_space_(std::move(name_space)), clock_(clock) {
  view_.since = clock_.Monotonic();
  preparation_.push_back(CreatedLine(name_space_, name_));
}

bool Run::TakeJob(const JobDigest& job) {
  MutexLock lock(mutex_);
  if (view_.job_gone || job.version <= view_.job.version) return false;
  view_.job = job;
  return true;
}

bool Run::JobGone() {
  MutexLock lock(mutex_);
  return !std::exchange(view_.job_gone, true);
}

SeenPod* Run::Find(const std::string& uid) {
  const auto found =
      std::ranges::find_if(view_.pods, [&](const SeenPod& pod) { return pod.digest.uid == uid; });
  return found == view_.pods.end() ? nullptr : &*found;
}

bool Run::TakePod(const PodDigest& pod) {
  MutexLock lock(mutex_);
  SeenPod* seen = Find(pod.uid);
  if (seen == nullptr) {
    const auto place = std::ranges::find_if(
        view_.pods, [&](const SeenPod& other) { return IsOlder(pod, other.digest); });
    seen = &*view_.pods.insert(place, SeenPod());
  } else if (seen->gone || pod.version <= seen->digest.version) {
    return false;
  }
  seen->digest = pod;
  if (pod.deleting && !seen->deleting_since.has_value()) {
    seen->deleting_since = clock_.Monotonic();
  }
  SayScheduled();
  TellLogOfEnd();
  return true;
}

bool Run::PodGone(const std::string& uid) {
  MutexLock lock(mutex_);
  SeenPod* seen = Find(uid);
  if (seen == nullptr || std::exchange(seen->gone, true)) return false;
  TellLogOfEnd();
  return true;
}

std::vector<std::string> Run::PodsUpTo(int64_t version) const {
  MutexLock lock(mutex_);
  std::vector<std::string> uids;
  for (const SeenPod& pod : view_.pods) {
    if (!pod.gone && pod.digest.version <= version) uids.push_back(pod.digest.uid);
  }
  return uids;
}

void Run::TellLogOfEnd() {
  const SeenPod* pod = ChosenPod(view_);
  if (log_ == nullptr || pod == nullptr) return;
  const bool over = pod->gone || pod->digest.main.state == ContainerDigest::State::kTerminated;
  if (over) log_->ContainerEnded();
}

bool Run::TakeEvent(const EventDigest& event) {
  MutexLock lock(mutex_);
  Note(event);
  const SeenPod* pod = ChosenPod(view_);
  const bool begun = frozen_.has_value() || (pod != nullptr && HasBegun(*pod));
  if (begun || preparation_.size() >= kMostLines) return true;
  const auto line = PreparationLine(event);
  if (!line.has_value() || !said_.insert(event.uid).second) return true;
  Say(*line);
  return true;
}

void Run::TakeSample(const PodSample& sample) {
  MutexLock lock(mutex_);
  for (SeenPod& pod : view_.pods) {
    const ContainerDigest& main = pod.digest.main;
    const bool runs = main.state == ContainerDigest::State::kRunning;
    if (runs && pod.digest.name == sample.pod) pod.use.Add(sample, main.began_micros);
  }
}

bool Run::running() const {
  MutexLock lock(mutex_);
  const SeenPod* pod = ChosenPod(view_);
  return pod != nullptr && !pod->gone && pod->digest.main.state == ContainerDigest::State::kRunning;
}

void Run::Note(const EventDigest& event) {
  if (!event.warning) return;
  Warnings& warnings = view_.warnings;
  if (event.kind == "Job" && event.reason == "FailedCreate") warnings.failed_create = event.message;
  if (event.reason == "Failed" && event.message.find("pull") != std::string::npos &&
      event.message.find(": ") != std::string::npos) {
    warnings.failed_pull = event.message;
  }
  if (event.reason == "FailedMount" || event.reason == "FailedAttachVolume") {
    warnings.failed_mount = event.message;
  }
  if (event.reason == "NodeNotReady") warnings.node_not_ready = event.message;
}

void Run::Say(const std::string& line) {
  preparation_.push_back(line);
  if (log_ != nullptr) log_->Say(line, absl::ToUnixMicros(clock_.Now()));
}

void Run::SayScheduled() {
  const SeenPod* pod = ChosenPod(view_);
  if (scheduled_said_ || frozen_.has_value() || pod == nullptr || pod->digest.node.empty()) return;
  scheduled_said_ = true;
  Say(ScheduledLine(pod->digest.node));
}

absl::Status Run::Hold(std::unique_ptr<PodLog> log) {
  MutexLock lock(mutex_);
  if (log_ != nullptr) return absl::OkStatus();
  const SeenPod* pod = ChosenPod(view_);
  if (pod != nullptr && HasBegun(*pod)) {
    frozen_ = pod->digest.preparation_lines.value_or(kUsualPreparationLines);
  }
  const bool known = !frozen_.has_value() ||
                     (*frozen_ == kUsualPreparationLines && std::ssize(preparation_) == *frozen_);
  RETURN_IF_ERROR(log->Open(known ? 0 : *frozen_));
  if (!view_.job.stream_output) log->SetComplete();
  log_ = std::move(log);
  if (!known) return absl::OkStatus();
  const int64_t now = absl::ToUnixMicros(clock_.Now());
  for (const std::string& line : preparation_) log_->Say(line, now);
  return absl::OkStatus();
}

void Run::Freeze() {
  SayScheduled();
  frozen_ = log_->lines();
  preparation_.clear();
  said_.clear();
}

bool Run::held() const {
  MutexLock lock(mutex_);
  return log_ != nullptr;
}

PodLog* Run::log() {
  MutexLock lock(mutex_);
  return log_.get();
}

void Run::WantStop(int64_t grace_seconds) {
  MutexLock lock(mutex_);
  view_.stop_wanted = true;
  pending_stop_ = std::min(pending_stop_.value_or(grace_seconds), grace_seconds);
}

std::optional<int64_t> Run::pending_stop() const {
  MutexLock lock(mutex_);
  return pending_stop_;
}

void Run::StopTold(int64_t grace_seconds) {
  MutexLock lock(mutex_);
  // A shorter one may have come in between.
  if (pending_stop_ == grace_seconds) pending_stop_.reset();
}

bool Run::GoFailed(const absl::Status& error) {
  MutexLock lock(mutex_);
  go_failed_at_ = clock_.Monotonic();
  const bool new_reason = go_error_.message() != error.message();
  go_error_ = error;
  return new_reason;
}

bool Run::go_failed_just_now() const {
  MutexLock lock(mutex_);
  return go_failed_at_.has_value() && clock_.Monotonic() < *go_failed_at_ + kBetweenGoes;
}

RunView Run::ViewNow() const {
  RunView view = view_;
  view.now = clock_.Monotonic();
  return view;
}

RunView Run::view() const {
  MutexLock lock(mutex_);
  return ViewNow();
}

int64_t Run::job_version() const {
  MutexLock lock(mutex_);
  return view_.job.version;
}

std::optional<Run::Untold> Run::PodToTell() {
  MutexLock lock(mutex_);
  const SeenPod* pod = ChosenPod(view_);
  if (log_ == nullptr || pod == nullptr || pod->gone || !HasBegun(*pod)) return std::nullopt;
  if (!frozen_.has_value()) Freeze();
  const int64_t told = pod->digest.preparation_lines.value_or(kUsualPreparationLines);
  if (*frozen_ == told) return std::nullopt;
  return Untold{pod->digest, *frozen_};
}

void Run::EndLog(const SeenPod& pod) {
  log_->ContainerEnded();
  if (pod.gone || pod.digest.main.state == ContainerDigest::State::kTerminated) return;
  const absl::Duration now = clock_.Monotonic();
  if (!lost_since_.has_value()) lost_since_ = now;
  if (now > *lost_since_ + kForLogOfLostNode) log_->Abandon();
}

void Run::AddUsage(const SeenPod& pod, ExitRecord& end) {
  if (!end_seen_micros_.has_value()) end_seen_micros_ = absl::ToUnixMicros(clock_.Now());
  end.cpu_micros = pod.use.cpu_micros();
  end.max_rss_bytes = pod.use.peak_memory_bytes();
  const auto reserved = ReservationOf(pod.digest, *end_seen_micros_);
  if (!reserved.has_value()) return;
  end.cpu_reserved_micros = reserved->cpu_micros;
  end.memory_reserved_byte_seconds = reserved->memory_byte_seconds;
}

Observation Run::Observe() {
  MutexLock lock(mutex_);
  const RunView view = ViewNow();
  Observation seen = ObservationOf(view);
  const SeenPod* pod = ChosenPod(view);
  const bool has_output = pod != nullptr && HasBegun(*pod) && view.job.stream_output;
  const bool ended = seen.stage == Stage::kExited;
  if (log_ != nullptr && has_output) {
    if (!frozen_.has_value()) Freeze();
    log_->Follow({name_space_, pod->digest.name, pod->digest.main_container, true, 0});
    if (ended) EndLog(*pod);
  }
  // Its end is told when its output is known to the last line.
  if (ended && has_output && (log_ == nullptr || !log_->complete())) seen.stage = Stage::kStarted;
  if (ended && pod != nullptr) AddUsage(*pod, seen.exit);
  if (log_ != nullptr) seen.log_lines = log_->lines();
  return seen;
}

}  // namespace forebay::worker
