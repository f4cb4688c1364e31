#pragma once

// What a Pod uses at a time, as the metrics API has it (PodMetrics of metrics.k8s.io/v1beta1).
// Pure.

#include <cstdint>
#include <optional>
#include <string>

#include "absl/time/time.h"
#include "common/job_spec/quantity.h"
#include "common/json/json.h"

namespace forebay::worker {

// Of all its containers together.
struct PodSample {
  std::string pod;
  // The end of the window of which it is, microseconds since the epoch.
  int64_t time_micros = 0;
  absl::Duration window;
  // On average in the window; 1 is one processor.
  Quantity cpu;
  int64_t memory_bytes = 0;
};

// Nothing for what is none.
std::optional<PodSample> ReadPodSample(const Json& pod_metrics);

}  // namespace forebay::worker
