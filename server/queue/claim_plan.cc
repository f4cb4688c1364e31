#include "server/queue/claim_plan.h"

#include <algorithm>

namespace forebay::server {
namespace {

int Free(const std::optional<int>& limit, int in_use, int demand) {
  return limit.has_value() ? std::clamp(*limit - in_use, 0, demand) : demand;
}

}  // namespace

ClaimPlan PlanClaim(const PoolState& pool, int most) {
  ClaimPlan plan;
  if (pool.paused) return plan;
  plan.total = std::min(Free(pool.limit, pool.in_use, pool.demand), most);
  std::vector<QueueState> queues = pool.queues;
  std::stable_sort(queues.begin(), queues.end(), [](const QueueState& a, const QueueState& b) {
    return a.priority != b.priority ? a.priority < b.priority : a.id < b.id;
  });
  for (const QueueState& queue : queues) {
    const int allowance =
        queue.paused ? 0 : std::min(Free(queue.limit, queue.in_use, queue.demand), plan.total);
    if (allowance > 0) plan.queues.push_back({queue.id, allowance});
  }
  if (plan.queues.empty()) plan.total = 0;
  return plan;
}

}  // namespace forebay::server
