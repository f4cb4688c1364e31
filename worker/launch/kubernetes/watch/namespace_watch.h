#pragma once

// Jobs, Pods, events and metrics of one namespace, watched for all runs together.

#include <array>
#include <functional>
#include <set>
#include <string>

#include "absl/status/status.h"
#include "common/base/sync.h"
#include "worker/launch/kubernetes/api/kubernetes_api.h"
#include "worker/launch/kubernetes/metrics/metrics_watch.h"
#include "worker/launch/kubernetes/watch/resource_watch.h"

namespace forebay::worker {

class NamespaceWatch {
 public:
  // All are called from the thread of the API's streams, without locks.
  struct Sink {
    std::function<void(const Json&)> job, job_gone, pod, pod_gone, event;
    // A list is complete as of the resource version: the names of all Jobs, the uids of all Pods.
    std::function<void(const std::set<std::string>& names, int64_t version)> jobs_listed;
    std::function<void(const std::set<std::string>& uids, int64_t version)> pods_listed;
    // What a Pod uses, where the cluster tells; asked while something is `running`.
    std::function<void(const PodSample&)> sample;
    std::function<bool()> running;
    // What `state` says may have changed.
    std::function<void()> state_changed;
  };
  struct State {
    // It has answered, well or not.
    bool known = false;
    // All that there is has been listed once.
    bool complete = false;
    // Why it cannot be watched now.
    absl::Status status;
  };

  // `label_selector`: of Jobs and Pods. It begins at once.
  NamespaceWatch(KubernetesApi& api, const std::string& name_space,
                 const std::string& label_selector, Sink sink);
  NamespaceWatch(const NamespaceWatch&) = delete;
  NamespaceWatch& operator=(const NamespaceWatch&) = delete;

  State state() const;

 private:
  struct KindState {
    bool known = false;
    bool listed = false;
    absl::Status status;
  };
  ResourceWatch::Sink JobSink();
  ResourceWatch::Sink PodSink();
  ResourceWatch::Sink EventSink();
  void Set(ObjectKind kind, const absl::Status& status);
  // Whether it is the first time.
  bool Listed(ObjectKind kind);

  const Sink sink_;
  mutable Mutex mutex_;
  std::array<KindState, 3> kinds_ GUARDED_BY(mutex_);
  // Of the list that is being read; the streams' thread's own.
  std::set<std::string> job_names_;
  std::set<std::string> pod_uids_;
  // Last: they use the others. They begin one after the other, so that no Pod comes before its Job
  // and no event before its Pod.
  MetricsWatch metrics_;
  ResourceWatch events_;
  ResourceWatch pods_;
  ResourceWatch jobs_;
};

}  // namespace forebay::worker
