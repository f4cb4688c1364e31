#include "server/metrics/call_meter.h"

namespace forebay::server {
namespace {

// Seconds. A poll parks for up to a minute; everything else answers within a few milliseconds.
const prometheus::Histogram::BucketBoundaries& Buckets() {
  static const auto* const buckets = new prometheus::Histogram::BucketBoundaries{
      0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60};
  return *buckets;
}

}  // namespace

void CallMeter::Count(absl::StatusCode code, absl::Duration took) {
  times_.Observe(absl::ToDoubleSeconds(took));
  prometheus::Counter* counter = nullptr;
  {
    MutexLock lock(mutex_);
    prometheus::Counter*& known = by_code_[code];
    if (known == nullptr)
      known = &counters_.Add({{"method", method_}, {"code", absl::StatusCodeToString(code)}});
    counter = known;
  }
  counter->Increment();
}

CallMeters::CallMeters(prometheus::Registry& registry)
    : counters_(prometheus::BuildCounter()
                    .Name("forebay_rpc_requests_total")
                    .Help("Calls that have ended, by method and canonical code.")
                    .Register(registry)),
      times_(prometheus::BuildHistogram()
                 .Name("forebay_rpc_duration_seconds")
                 .Help("Time from a call's arrival to its answer; long polls wait on purpose.")
                 .Register(registry)) {}

CallMeter& CallMeters::Make(const std::string& method) {
  meters_.emplace_back(
      new CallMeter(counters_, times_.Add({{"method", method}}, Buckets()), method));
  return *meters_.back();
}

}  // namespace forebay::server
