#pragma once

// What a Pod asks for and may use at most, all its containers taken together. Pure.

#include <optional>
#include <string>
#include <vector>

#include "common/job_spec/quantity.h"
#include "common/json/json.h"

namespace forebay {

// Anything but processors and memory, such as nvidia.com/gpu.
struct OtherResource {
  std::string name;
  // JSON pointer into the manifest.
  std::string pointer;
};

struct PodResources {
  // A container that requests nothing requests its limit.
  Quantity cpu_request;
  Quantity memory_request;
  // Absent: one container at least has none.
  std::optional<Quantity> cpu_limit;
  std::optional<Quantity> memory_limit;
  std::vector<OtherResource> others;
};

// Of containers side by side (sidecars too) the sum; of init containers, which run alone beside the
// sidecars begun before them, the largest. For a manifest of the right shape.
PodResources ResourcesOf(const Json& manifest);

struct PodRequests {
  Quantity cpu;
  Quantity memory;
};
// What a scheduler sets aside for a Pod of this spec: what its containers request together, or what
// it requests as a whole, and the overhead of its runtime class.
PodRequests RequestsOfPod(const Json& pod_spec);

}  // namespace forebay
