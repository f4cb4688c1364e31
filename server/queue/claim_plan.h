#pragma once

// How many runs may be claimed from each queue of a pool right now. Pure: a function of limits, use
// and demand.
//
// Strict priority: a queue of a lower priority number is emptied before the next one is looked at;
// the statement that claims walks the plan in this order and stops when the demand is met. Within a
// queue the order is (due time, run id).

#include <optional>
#include <vector>

#include "common/base/uuid.h"

namespace forebay::server {

struct QueueState {
  Uuid id;
  int priority = 1;
  bool paused = false;
  std::optional<int> limit;
  int in_use = 0;
  // Free slots of parked workers that serve this queue.
  int demand = 0;
};

struct PoolState {
  bool paused = false;
  std::optional<int> limit;
  int in_use = 0;
  // Free slots of all parked workers of the pool.
  int demand = 0;
  std::vector<QueueState> queues;
};

struct QueueAllowance {
  Uuid queue;
  int most = 0;
  bool operator==(const QueueAllowance&) const = default;
};

struct ClaimPlan {
  // In the order to claim from; only queues with an allowance above 0.
  std::vector<QueueAllowance> queues;
  // Most runs over all of them.
  int total = 0;
};

// `most` bounds one round.
ClaimPlan PlanClaim(const PoolState& pool, int most);

}  // namespace forebay::server
