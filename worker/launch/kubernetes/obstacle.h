#pragma once

// Why a run does not begin, and whether it is worth waiting. Pure.

#include <optional>
#include <string>

#include "worker/launch/kubernetes/pod_state.h"

namespace forebay::worker {

struct Obstacle {
  // As of forebay.v1.LaunchFailed.
  std::string reason;
  std::string message;
  // Whether another attempt, elsewhere or later, may go well.
  bool retryable = false;
  // It may go away by itself.
  bool may_pass = false;
};

// Nothing: it is on its way, as far as the cluster tells.
std::optional<Obstacle> ObstacleOf(const RunView& view);

}  // namespace forebay::worker
