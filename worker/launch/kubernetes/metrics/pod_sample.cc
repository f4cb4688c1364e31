#include "worker/launch/kubernetes/metrics/pod_sample.h"

#include <nlohmann/json.hpp>

#include "common/job_spec/kubernetes_pod.h"
#include "worker/launch/engine_words.h"

namespace forebay::worker {
namespace {

std::optional<Quantity> AmountOf(const Json& container, const char* name) {
  const Json* amount = MemberOf(MemberOf(&container, "usage"), name);
  const auto quantity = amount == nullptr ? std::nullopt : QuantityOf(*amount);
  return quantity.has_value() && quantity->nanos >= 0 ? quantity : std::nullopt;
}

}  // namespace

std::optional<PodSample> ReadPodSample(const Json& pod_metrics) {
  PodSample sample;
  sample.pod = TextOf(MemberOf(&pod_metrics, "metadata"), "name");
  sample.time_micros = EngineTimeMicros(TextOf(&pod_metrics, "timestamp"));
  const Json* containers = MemberOf(&pod_metrics, "containers");
  const bool timed = sample.time_micros > 0 &&
                     absl::ParseDuration(TextOf(&pod_metrics, "window"), &sample.window) &&
                     sample.window > absl::ZeroDuration() &&
                     sample.window < absl::InfiniteDuration();
  if (!timed || sample.pod.empty() || containers == nullptr || containers->empty()) {
    return std::nullopt;
  }
  Quantity memory;
  for (const Json& container : *containers) {
    const auto cpu = AmountOf(container, "cpu"), bytes = AmountOf(container, "memory");
    if (!cpu.has_value() || !bytes.has_value()) return std::nullopt;
    sample.cpu.nanos += cpu->nanos;
    memory.nanos += bytes->nanos;
  }
  sample.memory_bytes = memory.Whole();
  return sample;
}

}  // namespace forebay::worker
