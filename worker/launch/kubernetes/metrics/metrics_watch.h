#pragma once

// What the Pods of one namespace use, asked of the metrics API, one call for all of them. Many
// clusters have no such API, or no right for this worker: nothing depends on it.

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/backoff.h"
#include "worker/launch/kubernetes/api/kubernetes_api.h"
#include "worker/launch/kubernetes/api/own_stream.h"
#include "worker/launch/kubernetes/metrics/pod_sample.h"

namespace forebay::worker {

class MetricsWatch {
 public:
  // Called from the thread of the API's streams, without locks.
  struct Sink {
    std::function<void(const PodSample&)> sample;
    // Whether something runs there; else nobody is asked.
    std::function<bool()> wanted;
  };
  MetricsWatch(KubernetesApi& api, std::string name_space, std::string label_selector, Sink sink);
  MetricsWatch(const MetricsWatch&) = delete;
  MetricsWatch& operator=(const MetricsWatch&) = delete;

  // What is wanted may have changed. From the thread of the API's streams.
  void Wake();

 private:
  void Take(const absl::StatusOr<Json>& list);
  // Until when the next samples are there.
  absl::Duration TakeSamples(const Json& list);
  absl::Duration PauseAfter(const absl::Status& error);

  KubernetesApi& api_;
  const std::string name_space_;
  const std::string label_selector_;
  const Sink sink_;
  // The streams' thread's own.
  Backoff backoff_;
  bool asking_ = false;
  bool absence_told_ = false;
  // Not to be asked before, on the worker's clock.
  absl::Duration next_;
  // Last: ends the callbacks.
  OwnStream stream_;
};

}  // namespace forebay::worker
