#pragma once

// What the kernel says of this process, under the names that all of Prometheus' libraries use.

#include "absl/time/time.h"
#include "prometheus/registry.h"

namespace forebay::server {

// process_cpu_seconds_total, process_resident_memory_bytes, process_virtual_memory_bytes,
// process_open_fds, process_max_fds, process_start_time_seconds, process_threads. Read when asked.
class ProcessStats final : public prometheus::Collectable {
 public:
  explicit ProcessStats(absl::Time start) : start_(start) {}
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const absl::Time start_;
};

}  // namespace forebay::server
