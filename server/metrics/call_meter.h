#pragma once

// How often each RPC was called, how it ended and how long it took, whichever transport it came by.

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/base/sync.h"
#include "prometheus/counter.h"
#include "prometheus/family.h"
#include "prometheus/histogram.h"
#include "prometheus/registry.h"

namespace forebay::server {

// One method's; made by CallMeters. Thread-safe.
class CallMeter {
 public:
  void Count(absl::StatusCode code, absl::Duration took);

 private:
  friend class CallMeters;
  CallMeter(prometheus::Family<prometheus::Counter>& counters, prometheus::Histogram& times,
            std::string method)
      : counters_(counters), times_(times), method_(std::move(method)) {}

  prometheus::Family<prometheus::Counter>& counters_;
  prometheus::Histogram& times_;
  const std::string method_;
  Mutex mutex_;
  // By code; each is made when it first occurs.
  std::map<absl::StatusCode, prometheus::Counter*> by_code_ GUARDED_BY(mutex_);
};

// `forebay_rpc_requests_total{method,code}` and `forebay_rpc_duration_seconds{method}`. Meters live
// as long as it and the registry do.
class CallMeters {
 public:
  explicit CallMeters(prometheus::Registry& registry);
  // `method`: "FlowRunService.GetFlowRun". Called once a method, at start.
  CallMeter& Make(const std::string& method);

 private:
  prometheus::Family<prometheus::Counter>& counters_;
  prometheus::Family<prometheus::Histogram>& times_;
  std::vector<std::unique_ptr<CallMeter>> meters_;
};

}  // namespace forebay::server
