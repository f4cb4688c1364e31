#pragma once

// All namespaces in which runs of the pool may be, watched; and whether something can be launched.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "common/base/sync.h"
#include "worker/launch/kubernetes/known_namespaces.h"
#include "worker/launch/kubernetes/watch/namespace_watch.h"

namespace forebay::worker {

// Thread-safe.
class ClusterWatch {
 public:
  // The sink for one namespace; its state_changed is this object's own.
  using SinkOf = std::function<NamespaceWatch::Sink(const std::string& name_space)>;
  ClusterWatch(KubernetesApi& api, KnownNamespaces namespaces, SinkOf sink_of,
               std::function<void()> readiness_changed);
  ~ClusterWatch();
  ClusterWatch(const ClusterWatch&) = delete;
  ClusterWatch& operator=(const ClusterWatch&) = delete;

  // Begins; returns when each configured namespace has answered or could not be reached once. Once
  // takes effect.
  void Start(const std::string& label_selector);
  // Watches that namespace too, from now on and after a restart; waits until it is listed. Why it
  // cannot be.
  absl::Status Include(const std::string& name_space);
  // Why nothing can be launched in the configured namespaces.
  absl::Status Ready() const;
  // Whether all that there is has been seen.
  bool complete() const;

 private:
  NamespaceWatch* Watch(const std::string& name_space) REQUIRES(mutex_);
  void WaitFor(const std::vector<std::string>& names);
  bool AllKnown(const std::vector<std::string>& names) const REQUIRES(mutex_);
  absl::Status ReadyNow() const REQUIRES(mutex_);
  void StateChanged();

  KubernetesApi& api_;
  const SinkOf sink_of_;
  const std::function<void()> readiness_changed_;
  mutable Mutex mutex_;
  CondVar changed_;
  bool ending_ GUARDED_BY(mutex_) = false;
  KnownNamespaces namespaces_ GUARDED_BY(mutex_);
  std::string label_selector_ GUARDED_BY(mutex_);
  // What was told last.
  absl::Status told_ GUARDED_BY(mutex_);
  bool told_any_ GUARDED_BY(mutex_) = false;
  std::map<std::string, std::unique_ptr<NamespaceWatch>> watches_ GUARDED_BY(mutex_);
};

}  // namespace forebay::worker
