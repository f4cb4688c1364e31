#include "server/queue/claim_plan.h"

#include "tests/support/catch.h"
#include "tests/support/ids.h"

namespace forebay::server {
namespace {

QueueState Queue(uint8_t n, int priority, int demand) {
  QueueState queue;
  queue.id = Id(n);
  queue.priority = priority;
  queue.demand = demand;
  return queue;
}

TEST_CASE("claim plan: queues come in priority order, each with the whole demand", "[queue]") {
  PoolState pool;
  pool.demand = 4;
  pool.queues = {Queue(1, 2, 4), Queue(2, 1, 4)};
  const ClaimPlan plan = PlanClaim(pool, 100);
  CHECK(plan.total == 4);
  REQUIRE(plan.queues.size() == 2);
  CHECK(plan.queues[0] == QueueAllowance{Id(2), 4});
  CHECK(plan.queues[1] == QueueAllowance{Id(1), 4});
}

TEST_CASE("claim plan: limits bound the pool and each queue", "[queue]") {
  PoolState pool;
  pool.demand = 10;
  pool.limit = 5;
  pool.in_use = 2;
  pool.queues = {Queue(1, 1, 10), Queue(2, 2, 10)};
  pool.queues[0].limit = 1;
  const ClaimPlan plan = PlanClaim(pool, 100);
  CHECK(plan.total == 3);
  CHECK(plan.queues[0].most == 1);
  CHECK(plan.queues[1].most == 3);
}

TEST_CASE("claim plan: a limit below its use takes nothing and is not negative", "[queue]") {
  PoolState pool;
  pool.demand = 10;
  pool.limit = 1;
  pool.in_use = 4;
  pool.queues = {Queue(1, 1, 10)};
  CHECK(PlanClaim(pool, 100).total == 0);
  CHECK(PlanClaim(pool, 100).queues.empty());
}

TEST_CASE("claim plan: a paused queue is skipped, a paused pool gives nothing", "[queue]") {
  PoolState pool;
  pool.demand = 2;
  pool.queues = {Queue(1, 1, 2), Queue(2, 2, 2)};
  pool.queues[0].paused = true;
  REQUIRE(PlanClaim(pool, 100).queues.size() == 1);
  CHECK(PlanClaim(pool, 100).queues[0].queue == Id(2));
  pool.paused = true;
  CHECK(PlanClaim(pool, 100).total == 0);
}

TEST_CASE("claim plan: a queue that no parked worker serves is left out", "[queue]") {
  PoolState pool;
  pool.demand = 2;
  pool.queues = {Queue(1, 1, 0), Queue(2, 2, 2)};
  REQUIRE(PlanClaim(pool, 100).queues.size() == 1);
  CHECK(PlanClaim(pool, 1).total == 1);
}

}  // namespace
}  // namespace forebay::server
