#pragma once

// What was set aside for a Pod, and what samples of it come to. Pure.

#include <cstdint>
#include <optional>

#include "worker/launch/kubernetes/digest.h"
#include "worker/launch/kubernetes/metrics/pod_sample.h"

namespace forebay::worker {

struct Reservation {
  // Microseconds of one processor.
  int64_t cpu_micros = 0;
  int64_t memory_byte_seconds = 0;
};

// Requests times the time from its being scheduled to the end of its containers; when not all of
// them were seen to end, to that of the main one, else to `otherwise_micros` (since the epoch).
// Nothing when it was never scheduled.
std::optional<Reservation> ReservationOf(const PodDigest& pod, int64_t otherwise_micros);

// Adds samples up.
class SampledUse {
 public:
  // Of a Pod whose main container began then (microseconds since the epoch). A sample stands for
  // the time since the one before it, the first one for its window. One that is not newer than the
  // last says nothing.
  void Add(const PodSample& sample, int64_t began_micros);
  // Nothing without samples, and when they began long after the container: a part of a use is not
  // its measure.
  std::optional<int64_t> cpu_micros() const;
  std::optional<int64_t> peak_memory_bytes() const;

 private:
  bool known() const { return last_micros_ > 0 && from_the_beginning_; }

  bool from_the_beginning_ = false;
  int64_t last_micros_ = 0;
  int64_t cpu_micros_ = 0;
  int64_t peak_memory_bytes_ = 0;
};

}  // namespace forebay::worker
