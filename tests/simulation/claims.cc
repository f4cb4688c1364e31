#include <fmt/format.h>

#include <algorithm>

#include "tests/simulation/world.h"

namespace forebay::simulation {
namespace {

constexpr int kSlots = 3;

}  // namespace

Uuid NumberedId(int n) {
  Uuid id;
  id.bytes[15] = static_cast<uint8_t>(n + 1);
  return id;
}

std::vector<server::SlotScope> World::ScopesOf(int queue, int deployment,
                                               const std::vector<int>& shares) const {
  std::vector<server::SlotScope> scopes = {{"pool", NumberedId(0)},
                                           {"queue", NumberedId(queue)},
                                           {"deployment", NumberedId(deployment)}};
  for (const int share : shares) scopes.emplace_back("named", NumberedId(share));
  return scopes;
}

server::SlotsLeft World::SlotsLeftNow() const {
  server::SlotsLeft left;
  const auto limited = [&](const char* kind, int n, const std::optional<int>& limit) {
    if (limit.has_value()) left[{kind, NumberedId(n)}] = *limit;
  };
  limited("pool", 0, pool_.limit);
  for (int n = 0; n < kQueues; ++n) limited("queue", n, pool_.queues[static_cast<size_t>(n)].limit);
  for (int n = 0; n < kDeployments; ++n)
    limited("deployment", n, deployments_[static_cast<size_t>(n)].limit);
  for (int n = 0; n < kSharedLimits; ++n) limited("named", n, shared_[static_cast<size_t>(n)]);
  for (const auto& [run, held] : held_) {
    for (const server::SlotScope& scope : ScopesOf(held.queue, held.deployment, held.shares)) {
      if (const auto it = left.find(scope); it != left.end()) --it->second;
    }
  }
  return left;
}

server::PoolState World::Pool(const server::Matcher& matcher) const {
  server::PoolState pool = pool_;
  pool.demand = matcher.TotalSlots();
  pool.in_use = static_cast<int>(held_.size());
  for (server::QueueState& queue : pool.queues) {
    queue.demand = matcher.SlotsFor(queue.id);
    queue.in_use =
        static_cast<int>(std::count_if(held_.begin(), held_.end(), [&](const auto& entry) {
          return NumberedId(entry.second.queue) == queue.id;
        }));
  }
  return pool;
}

// What the statements of a claim find: of each queue in the plan's order the runs that are due, of
// a deployment with limits no more than it has slots left.
std::vector<Queued> World::Candidates(const server::ClaimPlan& plan) const {
  std::vector<Queued> candidates;
  const server::SlotsLeft left = SlotsLeftNow();
  for (const server::QueueAllowance& allowance : plan.queues) {
    std::vector<Queued> lane;
    for (const Queued& queued : queued_) {
      if (NumberedId(queued.queue) == allowance.queue && queued.due <= now_ && !queued.paused)
        lane.push_back(queued);
    }
    std::sort(lane.begin(), lane.end(), [](const Queued& a, const Queued& b) {
      return std::pair(a.due, a.run) < std::pair(b.due, b.run);
    });
    int open = 0;
    std::map<int, int> beside;
    for (const Queued& queued : lane) {
      const Deployment& deployment = deployments_[static_cast<size_t>(queued.deployment)];
      int most = allowance.most;
      const bool gated = deployment.limit.has_value() || !deployment.shares.empty();
      for (const server::SlotScope& scope :
           ScopesOf(queued.queue, queued.deployment, deployment.shares)) {
        const bool own = scope.first == "deployment" || scope.first == "named";
        if (own && left.contains(scope)) most = std::min(most, left.at(scope));
      }
      if ((gated ? beside[queued.deployment]++ : open++) < most) candidates.push_back(queued);
    }
  }
  return candidates;
}

void World::Grant(const Queued& run, int worker) {
  Held held;
  held.deployment = run.deployment;
  held.queue = run.queue;
  held.shares = deployments_[static_cast<size_t>(run.deployment)].shares;
  held.attempt = run.attempt;
  held.epoch = run.epoch + 1;
  held.worker = worker;
  held.state = run.budget;
  held.state.phase = server::Phase::kGranted;
  held.state.chance = 0.5;
  if (run.attempt <= last_attempt_[run.run])
    broken_ = fmt::format("run {} repeats an attempt", run.run);
  if (held.epoch <= last_epoch_[run.run]) broken_ = fmt::format("run {} repeats an epoch", run.run);
  last_attempt_[run.run] = run.attempt;
  last_epoch_[run.run] = held.epoch;
  workers_[worker].held[run.run] = {held.attempt, held.epoch, false};
  held_[run.run] = held;
  std::erase_if(queued_, [&](const Queued& queued) { return queued.run == run.run; });
}

// Of a queue's runs that were candidates, one that stands before a granted one and was left must
// have had no slot: slots only went away in this claim.
void World::CheckOrder(const std::vector<Queued>& waited, const std::set<int>& granted,
                       const server::SlotsLeft& left) {
  for (const Queued& passed : waited) {
    if (granted.contains(passed.run)) continue;
    bool fits = true;
    const auto& shares = deployments_[static_cast<size_t>(passed.deployment)].shares;
    for (const server::SlotScope& scope : ScopesOf(passed.queue, passed.deployment, shares))
      fits &= !left.contains(scope) || left.at(scope) > 0;
    if (!fits) continue;
    for (const Queued& later : waited) {
      const bool behind = later.queue == passed.queue &&
                          std::pair(passed.due, passed.run) < std::pair(later.due, later.run);
      if (behind && granted.contains(later.run))
        broken_ = fmt::format("run {} was passed over by run {}", passed.run, later.run);
    }
  }
}

void World::Claim() {
  server::Matcher matcher;
  for (const auto& [id, worker] : workers_) {
    const int free = kSlots - static_cast<int>(worker.held.size());
    if (!worker.alive || worker.lease_end <= now_ || free <= 0) continue;
    Uuid worker_id;
    worker_id.bytes[0] = static_cast<uint8_t>(id);
    std::vector<Uuid> queues;
    if (id % 3 == 0) queues.push_back(NumberedId(id % kQueues));
    matcher.Park({static_cast<uint64_t>(id), worker_id, {}, free, queues});
  }
  const server::PoolState now = Pool(matcher);
  // The other server plans by what it saw a while ago; what it may grant is decided under the
  // locks.
  server::PoolState plan_by = now;
  if (!calm_ && Pick(3) == 0 && !seen_before_.queues.empty()) {
    plan_by.in_use = seen_before_.in_use;
    for (size_t n = 0; n < plan_by.queues.size(); ++n)
      plan_by.queues[n].in_use = seen_before_.queues[n].in_use;
  }
  seen_before_ = now;
  const server::ClaimPlan plan = server::PlanClaim(plan_by, 1 + static_cast<int>(Pick(5)));
  const std::vector<Queued> candidates = Candidates(plan);
  std::vector<std::vector<server::SlotScope>> takes;
  for (const Queued& run : candidates) {
    const auto& shares = deployments_[static_cast<size_t>(run.deployment)].shares;
    takes.push_back(ScopesOf(run.queue, run.deployment, shares));
  }
  server::SlotsLeft left = SlotsLeftNow();
  const std::vector<bool> admitted = server::Admit(takes, left);
  std::set<int> granted;
  bool all_matched = true;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (!admitted[i]) continue;
    const auto taken = matcher.Take(NumberedId(candidates[i].queue));
    all_matched &= taken.has_value();
    if (!taken.has_value()) continue;
    granted.insert(candidates[i].run);
    Grant(candidates[i], static_cast<int>(taken->poll));
  }
  if (all_matched) CheckOrder(candidates, granted, left);
}

}  // namespace forebay::simulation
