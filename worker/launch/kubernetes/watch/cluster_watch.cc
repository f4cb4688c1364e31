#include "worker/launch/kubernetes/watch/cluster_watch.h"

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/obs/log.h"

namespace forebay::worker {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(5);

absl::Status NotAskedYet() {
  return absl::UnavailableError("the Kubernetes API server has not been asked yet");
}

}  // namespace

ClusterWatch::ClusterWatch(KubernetesApi& api, KnownNamespaces namespaces, SinkOf sink_of,
                           std::function<void()> readiness_changed)
    : api_(api),
      sink_of_(std::move(sink_of)),
      readiness_changed_(std::move(readiness_changed)),
      namespaces_(std::move(namespaces)) {}

ClusterWatch::~ClusterWatch() {
  std::map<std::string, std::unique_ptr<NamespaceWatch>> watches;
  {
    MutexLock lock(mutex_);
    ending_ = true;
    watches.swap(watches_);
    changed_.NotifyAll();
  }
  // Their ends wait for functions that take the mutex.
  watches.clear();
}

void ClusterWatch::Start(const std::string& label_selector) {
  std::vector<std::string> waited_for;
  {
    MutexLock lock(mutex_);
    if (!label_selector_.empty()) return;
    label_selector_ = label_selector;
    for (const std::string& name : namespaces_.all()) {
      Watch(name);
      if (namespaces_.configured(name)) waited_for.push_back(name);
    }
  }
  WaitFor(waited_for);
}

NamespaceWatch* ClusterWatch::Watch(const std::string& name_space) {
  std::unique_ptr<NamespaceWatch>& watch = watches_[name_space];
  if (watch != nullptr) return watch.get();
  NamespaceWatch::Sink sink = sink_of_(name_space);
  sink.state_changed = [this] { StateChanged(); };
  watch = std::make_unique<NamespaceWatch>(api_, name_space, label_selector_, std::move(sink));
  return watch.get();
}

absl::Status ClusterWatch::Include(const std::string& name_space) {
  {
    MutexLock lock(mutex_);
    if (ending_) return absl::CancelledError("the worker ends");
    RETURN_IF_ERROR(namespaces_.Learn(name_space));
    const NamespaceWatch::State state = Watch(name_space)->state();
    if (state.complete) return state.status;
  }
  WaitFor({name_space});
  MutexLock lock(mutex_);
  if (ending_) return absl::CancelledError("the worker ends");
  const NamespaceWatch::State state = Watch(name_space)->state();
  return state.known ? state.status : NotAskedYet();
}

bool ClusterWatch::AllKnown(const std::vector<std::string>& names) const {
  for (const std::string& name : names) {
    const auto found = watches_.find(name);
    if (found != watches_.end() && !found->second->state().known) return false;
  }
  return true;
}

void ClusterWatch::WaitFor(const std::vector<std::string>& names) {
  const absl::Duration end = SystemClock().Monotonic() + kPatience;
  MutexLock lock(mutex_);
  while (!ending_ && !AllKnown(names)) {
    const absl::Duration left = end - SystemClock().Monotonic();
    if (left <= absl::ZeroDuration()) return;
    changed_.WaitFor(mutex_, left);
  }
}

absl::Status ClusterWatch::ReadyNow() const {
  if (label_selector_.empty()) return NotAskedYet();
  for (const auto& [name, watch] : watches_) {
    if (!namespaces_.configured(name)) continue;
    const NamespaceWatch::State state = watch->state();
    if (!state.status.ok()) return state.status;
    if (!state.complete) return NotAskedYet();
  }
  return absl::OkStatus();
}

absl::Status ClusterWatch::Ready() const {
  MutexLock lock(mutex_);
  return ReadyNow();
}

bool ClusterWatch::complete() const {
  MutexLock lock(mutex_);
  for (const auto& [name, watch] : watches_) {
    if (!watch->state().complete) return false;
  }
  return !label_selector_.empty();
}

void ClusterWatch::StateChanged() {
  absl::Status ready;
  {
    MutexLock lock(mutex_);
    changed_.NotifyAll();
    ready = ReadyNow();
    const bool same = told_any_ && ready.ok() == told_.ok() && ready.message() == told_.message();
    // Half of the first lists is no news.
    const bool pending = !ready.ok() && ReasonOf(ready).empty();
    if (same || pending) return;
    told_ = ready;
    told_any_ = true;
  }
  if (ready.ok()) {
    spdlog::info("the cluster at {} is there", api_.access().server);
  } else {
    spdlog::warn("{}", MessageOf(ready));
  }
  readiness_changed_();
}

}  // namespace forebay::worker
