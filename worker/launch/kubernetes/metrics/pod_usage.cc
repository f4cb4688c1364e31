#include "worker/launch/kubernetes/metrics/pod_usage.h"

#include <algorithm>

namespace forebay::worker {
namespace {

constexpr int64_t kMillisPerUnit = 1000;
constexpr int64_t kMicrosPerSecond = 1'000'000;
constexpr int64_t kNanosPerUnit = 1'000'000'000;
// The first sample comes as late as the slowest usual collector takes it and the slowest pace at
// which it is asked.
constexpr int64_t kMostUnseenMicros = 120 * kMicrosPerSecond;

int64_t Clamp(absl::int128 figure) {
  return figure > INT64_MAX ? INT64_MAX : static_cast<int64_t>(figure);
}

int64_t EndOf(const PodDigest& pod, int64_t otherwise_micros) {
  if (pod.ended_micros > 0) return pod.ended_micros;
  return pod.main.ended_micros > 0 ? pod.main.ended_micros : otherwise_micros;
}

}  // namespace

std::optional<Reservation> ReservationOf(const PodDigest& pod, int64_t otherwise_micros) {
  if (pod.scheduled_micros == 0) return std::nullopt;
  const absl::int128 wall =
      std::max<int64_t>(EndOf(pod, otherwise_micros) - pod.scheduled_micros, 0);
  return Reservation{Clamp(wall * pod.cpu_request_millis / kMillisPerUnit),
                     Clamp(wall * pod.memory_request_bytes / kMicrosPerSecond)};
}

void SampledUse::Add(const PodSample& sample, int64_t began_micros) {
  if (sample.time_micros <= last_micros_) return;
  const int64_t window = absl::ToInt64Microseconds(sample.window);
  const bool first = last_micros_ == 0;
  const int64_t interval = first ? window : sample.time_micros - last_micros_;
  if (first) {
    from_the_beginning_ = sample.time_micros - window <= began_micros + kMostUnseenMicros;
  }
  const absl::int128 used = absl::int128(Clamp(sample.cpu.nanos)) * interval / kNanosPerUnit;
  cpu_micros_ = Clamp(cpu_micros_ + std::min<absl::int128>(used, INT64_MAX));
  peak_memory_bytes_ = std::max(peak_memory_bytes_, sample.memory_bytes);
  last_micros_ = sample.time_micros;
}

std::optional<int64_t> SampledUse::cpu_micros() const {
  return known() ? std::optional(cpu_micros_) : std::nullopt;
}

std::optional<int64_t> SampledUse::peak_memory_bytes() const {
  return known() ? std::optional(peak_memory_bytes_) : std::nullopt;
}

}  // namespace forebay::worker
