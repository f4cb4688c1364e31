#include "worker/launch/kubernetes/watch/namespace_watch.h"

#include <nlohmann/json.hpp>
#include <utility>

namespace forebay::worker {
namespace {

std::string MetadataOf(const Json& object, const char* key) {
  const auto metadata = object.find("metadata");
  if (metadata == object.end() || !metadata->is_object()) return "";
  const auto found = metadata->find(key);
  return found != metadata->end() && found->is_string() ? found->get<std::string>() : "";
}

}  // namespace

NamespaceWatch::NamespaceWatch(KubernetesApi& api, const std::string& name_space,
                               const std::string& label_selector, Sink sink)
    : sink_(std::move(sink)),
      metrics_(api, name_space, label_selector, {sink_.sample, sink_.running}),
      events_(api, {ObjectKind::kEvent, name_space, ""}, EventSink()),
      pods_(api, {ObjectKind::kPod, name_space, label_selector}, PodSink()),
      jobs_(api, {ObjectKind::kJob, name_space, label_selector}, JobSink()) {
  jobs_.Start();
}

ResourceWatch::Sink NamespaceWatch::JobSink() {
  ResourceWatch::Sink sink;
  sink.list_begins = [this] { job_names_.clear(); };
  sink.listing = [this](const Json& job) { job_names_.insert(MetadataOf(job, "name")); };
  sink.present = sink_.job;
  sink.gone = sink_.job_gone;
  sink.listed = [this](int64_t version) {
    sink_.jobs_listed(std::exchange(job_names_, {}), version);
    if (Listed(ObjectKind::kJob)) pods_.Start();
  };
  sink.state = [this](const absl::Status& status) { Set(ObjectKind::kJob, status); };
  return sink;
}

ResourceWatch::Sink NamespaceWatch::PodSink() {
  ResourceWatch::Sink sink;
  sink.list_begins = [this] { pod_uids_.clear(); };
  sink.listing = [this](const Json& pod) { pod_uids_.insert(MetadataOf(pod, "uid")); };
  sink.present = [this](const Json& pod) {
    sink_.pod(pod);
    metrics_.Wake();
  };
  sink.gone = sink_.pod_gone;
  sink.listed = [this](int64_t version) {
    sink_.pods_listed(std::exchange(pod_uids_, {}), version);
    if (Listed(ObjectKind::kPod)) events_.Start();
  };
  sink.state = [this](const absl::Status& status) { Set(ObjectKind::kPod, status); };
  return sink;
}

ResourceWatch::Sink NamespaceWatch::EventSink() {
  ResourceWatch::Sink sink;
  sink.list_begins = [] {};
  sink.listing = [](const Json&) {};
  sink.present = sink_.event;
  // Events are forgotten by the cluster after a while.
  sink.gone = [](const Json&) {};
  sink.listed = [this](int64_t) { Listed(ObjectKind::kEvent); };
  sink.state = [this](const absl::Status& status) { Set(ObjectKind::kEvent, status); };
  return sink;
}

bool NamespaceWatch::Listed(ObjectKind kind) {
  MutexLock lock(mutex_);
  return !std::exchange(kinds_[static_cast<size_t>(kind)].listed, true);
}

void NamespaceWatch::Set(ObjectKind kind, const absl::Status& status) {
  {
    MutexLock lock(mutex_);
    KindState& state = kinds_[static_cast<size_t>(kind)];
    state.known = true;
    state.status = status;
  }
  sink_.state_changed();
}

NamespaceWatch::State NamespaceWatch::state() const {
  MutexLock lock(mutex_);
  State state;
  state.complete = true;
  for (const KindState& kind : kinds_) {
    state.complete = state.complete && kind.listed;
    if (state.status.ok() && kind.known) state.status = kind.status;
  }
  state.known = state.complete || !state.status.ok();
  return state;
}

}  // namespace forebay::worker
