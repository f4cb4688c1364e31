#include "tests/simulation/world.h"

#include <fmt/format.h>

#include <algorithm>

namespace forebay::simulation {
namespace {

constexpr int64_t kLease = 15;
constexpr int64_t kCrashAfter = 30;
// A step of the simulation is a minute of the schedule.
server::Timetable EveryTwentySteps() {
  server::TimetableSpec spec;
  spec.rule = server::IntervalRule{absl::Minutes(20), absl::UnixEpoch()};
  return *server::Timetable::Parse(spec, absl::UnixEpoch());
}

server::Event Of(server::EventKind kind) {
  server::Event event;
  event.kind = kind;
  event.reason = "SIMULATED";
  event.message = "simulated";
  return event;
}

}  // namespace

World::World(uint64_t seed) : random_(seed), timetable_(EveryTwentySteps()) {
  deployments_[1].shares = {0};
  deployments_[2].shares = {0, 1};
  for (int i = 0; i < kQueues; ++i) {
    server::QueueState queue;
    queue.id = NumberedId(i);
    queue.priority = i + 1;
    pool_.queues.push_back(queue);
  }
  StartWorker();
}

void World::Submit() { Enqueue(now_ + static_cast<int64_t>(Pick(3))); }

void World::Enqueue(int64_t due) {
  Queued queued;
  queued.run = next_run_++;
  queued.deployment = static_cast<int>(Pick(kDeployments));
  queued.queue = static_cast<int>(Pick(kQueues));
  queued.due = due;
  if (queued.deployment == 0) {
    queued.budget.retry = {2,
                           {absl::Seconds(3), absl::Seconds(5)},
                           0.5,
                           static_cast<unsigned>(server::RetryCause::kFailed) |
                               static_cast<unsigned>(server::RetryCause::kTimedOut)};
  }
  queued_.push_back(queued);
}

void World::StartWorker() {
  SimWorker worker;
  worker.lease_end = now_ + kLease;
  workers_[next_worker_++] = worker;
}

void World::Begin(int run, int attempt) {
  if (!begun_.emplace(run, attempt).second)
    broken_ = fmt::format("run {} attempt {} began twice", run, attempt);
}

void World::Apply(int run, const server::Event& event) {
  const auto it = held_.find(run);
  Held& held = it->second;
  const server::Decision decision = server::Decide(held.state, event);
  if (decision.refused || decision.noop) {
    if (decision.orphan) held.orphaned_at = now_;
    return;
  }
  if (decision.next == server::Next::kNone) {
    held.state.phase = decision.phase;
    return;
  }
  if (decision.next == server::Next::kEnd) {
    if (!finished_.emplace(run, decision.outcome).second)
      broken_ = fmt::format("run {} ended twice", run);
    if (decision.outcome == server::Outcome::kCompleted && !begun_.contains({run, held.attempt})) {
      broken_ = fmt::format("run {} completed without having begun", run);
    }
  } else {
    Queued again;
    again.run = run;
    again.deployment = held.deployment;
    again.queue = held.queue;
    again.due = now_ + absl::ToInt64Seconds(decision.delay);
    again.attempt = held.attempt + 1;
    again.epoch = held.epoch;
    again.paused = decision.paused;
    again.budget.retry = held.state.retry;
    again.budget.user_retries = decision.user_retries;
    if (decision.user_retries > held.state.retry.retries) broken_ = "a retry beyond the budget";
    again.budget.protocol_retries = decision.protocol_retries;
    again.budget.crash_retries = decision.crash_retries;
    again.budget.crash_retries_allowed = held.state.crash_retries_allowed;
    queued_.push_back(again);
  }
  held_.erase(it);
}

void World::Report() {
  // A living worker moves one of its attempts on, the way a real one does.
  std::vector<int> alive;
  for (const auto& [id, worker] : workers_) {
    if (worker.alive && !worker.held.empty()) alive.push_back(id);
  }
  if (alive.empty()) return;
  SimWorker& worker = workers_[alive[Pick(alive.size())]];
  auto it = worker.held.begin();
  std::advance(it, Pick(worker.held.size()));
  const int run = it->first;
  SimWorker::Belief& belief = it->second;
  const auto held = held_.find(run);
  const bool current = held != held_.end() && held->second.attempt == belief.attempt &&
                       held->second.epoch == belief.epoch;
  if (!current) {
    // Told that it is stale: ends the infrastructure and says nothing more.
    worker.held.erase(it);
    return;
  }
  if (!belief.begun) {
    const auto gate = server::Decide(held->second.state, Of(server::EventKind::kGate));
    Apply(run, Of(server::EventKind::kLaunched));
    if (!gate.refused && Pick(10) > 0) {
      const bool passed = held->second.state.phase == server::Phase::kStarted;
      Apply(run, Of(server::EventKind::kGate));
      // Self-fence: no go after the lease.
      if (worker.lease_end > now_ && !passed) Begin(run, belief.attempt);
      belief.begun = true;
    } else {
      Apply(run, Of(gate.refused ? server::EventKind::kExited : server::EventKind::kHostFailed));
      worker.held.erase(it);
    }
    return;
  }
  server::Event exited = Of(server::EventKind::kExited);
  exited.exit_code = static_cast<int>(Pick(4)) == 0 ? 1 : 0;
  if (!begun_.contains({run, belief.attempt})) exited.kind = server::EventKind::kNeverBegan;
  Apply(run, exited);
  worker.held.erase(it);
}

void World::StaleReport() {
  // A report of an attempt that is over must find nothing to change: Find by attempt and epoch
  // refuses it, so here only the table's own refusals are tried, on a started attempt.
  for (auto& [run, held] : held_) {
    if (held.state.phase != server::Phase::kStarted) continue;
    const server::Phase before = held.state.phase;
    Apply(run, Of(server::EventKind::kLaunching));
    if (held_.contains(run) && held_[run].state.phase != before) broken_ = "a phase went back";
    return;
  }
}

void World::BeatAll() {
  for (auto& [id, worker] : workers_) {
    if (worker.alive && worker.lease_end > now_) worker.lease_end = now_ + kLease;
  }
}

void World::KillWorker() {
  std::vector<int> alive;
  for (const auto& [id, worker] : workers_) {
    if (worker.alive) alive.push_back(id);
  }
  if (alive.empty() || calm_) return;
  workers_[alive[Pick(alive.size())]].alive = false;
}

void World::Expire() {
  std::vector<int> runs;
  for (const auto& [run, held] : held_) runs.push_back(run);
  for (const int run : runs) {
    Held& held = held_[run];
    if (workers_[held.worker].lease_end > now_) continue;
    if (!held.orphaned_at.has_value()) {
      Apply(run, Of(server::EventKind::kLeaseLost));
    } else if (*held.orphaned_at + kCrashAfter - kLease <= now_) {
      Apply(run, Of(server::EventKind::kSilent));
    }
  }
}

void World::Adopt() {
  for (auto& [run, held] : held_) {
    if (!held.orphaned_at.has_value()) continue;
    for (auto& [id, worker] : workers_) {
      if (!worker.alive || worker.lease_end <= now_) continue;
      const bool begun = begun_.contains({run, held.attempt});
      held.worker = id;
      held.epoch = ++last_epoch_[run];
      held.orphaned_at.reset();
      // Seen waiting with the gate passed: the adopter says go.
      if (!begun) Begin(run, held.attempt);
      worker.held[run] = {held.attempt, held.epoch, true};
      return;
    }
  }
}

void World::Cancel() {
  if (calm_) return;
  if (!queued_.empty() && Pick(2) == 0) {
    const size_t at = Pick(queued_.size());
    if (!finished_.emplace(queued_[at].run, server::Outcome::kCancelled).second)
      broken_ = "cancelled twice";
    queued_.erase(queued_.begin() + static_cast<std::ptrdiff_t>(at));
  } else if (!held_.empty()) {
    auto it = held_.begin();
    std::advance(it, Pick(held_.size()));
    it->second.state.stop = server::Stop::kCancel;
  }
}

void World::PauseOrResume() {
  if (calm_) return;
  if (!queued_.empty() && Pick(2) == 0) {
    Queued& queued = queued_[Pick(queued_.size())];
    queued.paused = !queued.paused;
  } else if (!held_.empty()) {
    auto it = held_.begin();
    std::advance(it, Pick(held_.size()));
    // A cancel is not overruled.
    if (it->second.state.stop == server::Stop::kNone)
      it->second.state.stop = server::Stop::kSuspend;
  }
}

void World::TimeOut() {
  for (auto& [run, held] : held_) {
    const bool runs = held.state.phase == server::Phase::kStarted;
    if (!runs || held.state.stop != server::Stop::kNone || calm_ || Pick(4) > 0) continue;
    held.state.stop = server::Stop::kTimeout;
    return;
  }
}

void World::ChangeLimits() {
  // Raised or lifted only: below what is held nothing new is granted, and the check knows the use
  // at the change.
  const auto limit = [&]() -> std::optional<int> {
    if (calm_ || Pick(3) == 0) return std::nullopt;
    return static_cast<int>(held_.size() + Pick(4));
  };
  const bool paused = !calm_ && Pick(8) == 0;
  switch (Pick(4)) {
    case 0:
      pool_.limit = limit();
      pool_.paused = paused;
      break;
    case 1: {
      server::QueueState& queue = pool_.queues[Pick(kQueues)];
      queue.limit = limit();
      queue.paused = paused;
      break;
    }
    case 2:
      deployments_[Pick(kDeployments)].limit = limit();
      break;
    default:
      shared_[Pick(kSharedLimits)] = limit();
  }
}

std::string World::Check() {
  if (!broken_.empty()) return broken_;
  for (const auto& [scope, left] : SlotsLeftNow()) {
    if (left < 0) return "a limit is exceeded: " + scope.first;
  }
  if (std::string broken = CheckFires(); !broken.empty()) return broken;
  std::set<int> seen;
  for (const Queued& queued : queued_) {
    if (!seen.insert(queued.run).second) return fmt::format("run {} is queued twice", queued.run);
  }
  for (const auto& [run, held] : held_) {
    if (!seen.insert(run).second) return fmt::format("run {} is queued and held", run);
  }
  for (const auto& [run, outcome] : finished_) {
    if (!seen.insert(run).second) return fmt::format("run {} is finished and alive", run);
  }
  if (static_cast<int>(seen.size()) != next_run_ - 1) return "a run was lost";
  return "";
}

std::string World::Step() {
  ++now_;
  switch (Pick(15)) {
    case 0:
    case 1:
      Submit();
      break;
    case 2:
    case 3:
      Claim();
      break;
    case 4:
    case 5:
    case 6:
      Report();
      break;
    case 7:
      BeatAll();
      break;
    case 8:
      Pick(6) == 0 ? KillWorker() : (Pick(4) == 0 ? StartWorker() : BeatAll());
      break;
    case 9:
      Expire();
      break;
    case 10:
      Pick(3) == 0 ? Cancel() : Adopt();
      break;
    case 11:
      PauseOrResume();
      break;
    case 12:
      TimeOut();
      break;
    case 13:
      LookAtSchedule();
      break;
    default:
      Pick(3) == 0 ? ChangeLimits() : StaleReport();
      break;
  }
  return Check();
}

std::string World::Drain() {
  calm_ = true;
  pool_.limit.reset();
  pool_.paused = false;
  for (server::QueueState& queue : pool_.queues) {
    queue.limit.reset();
    queue.paused = false;
  }
  const int most = static_cast<int>(held_.size()) + 1;
  for (Deployment& deployment : deployments_) deployment.limit = most;
  for (std::optional<int>& limit : shared_) limit = most;
  for (Queued& queued : queued_) queued.paused = false;
  StartWorker();
  StartWorker();
  for (int round = 0; round < 20'000 && static_cast<int>(finished_.size()) < next_run_ - 1;
       ++round) {
    ++now_;
    BeatAll();
    Expire();
    Adopt();
    // Suspended at the last moment: resumed at once.
    for (Queued& queued : queued_) queued.paused = false;
    Claim();
    Report();
    if (std::string broken = Check(); !broken.empty()) return broken;
  }
  return static_cast<int>(finished_.size()) == next_run_ - 1 ? "" : "a run never ended";
}

}  // namespace forebay::simulation
