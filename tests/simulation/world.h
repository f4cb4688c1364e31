#pragma once

// A small control plane in memory around the pure core: the claim plan, the admission, the matcher,
// the transition table, the retry policy and the schedules' look-ahead are the real ones, the
// database is a few maps, time is a number. One seed is one history of submissions, fires of
// schedules, claims by two servers, reports, lost workers, pauses, limit changes, cancels, suspends
// and timeouts.
//
// After every step Check() asserts what must always hold (docs/guide/faults.md): limits are kept, a
// run is in one place, attempts and epochs only grow, user code begins at most once per attempt,
// nothing ends twice, nobody who could start is passed over, a schedule fires once.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "server/claim/matcher.h"
#include "server/queue/admission.h"
#include "server/queue/claim_plan.h"
#include "server/runs/transition.h"
#include "server/schedule/timetable.h"

namespace forebay::simulation {

// Ids of pools, queues, deployments and limits, each kind by itself.
Uuid NumberedId(int n);

inline constexpr int kQueues = 3;
inline constexpr int kDeployments = 4;
inline constexpr int kSharedLimits = 2;

// What the runs of one deployment have in common.
struct Deployment {
  std::optional<int> limit;
  // Shared limits of which each attempt takes a slot.
  std::vector<int> shares;
};

struct Queued {
  int run = 0;
  int deployment = 0;
  int queue = 0;
  int64_t due = 0;
  int attempt = 1;
  int64_t epoch = 0;
  bool paused = false;
  server::HeldState budget;
};

struct Held {
  int deployment = 0;
  int queue = 0;
  // As the deployment had them when the attempt was granted.
  std::vector<int> shares;
  int attempt = 0;
  int64_t epoch = 0;
  int worker = 0;
  server::HeldState state;
  std::optional<int64_t> orphaned_at;
};

struct SimWorker {
  int64_t lease_end = 0;
  bool alive = true;
  // What it believes to hold: run -> (attempt, epoch, begun).
  struct Belief {
    int attempt = 0;
    int64_t epoch = 0;
    bool begun = false;
  };
  std::map<int, Belief> held;
};

class World {
 public:
  explicit World(uint64_t seed);
  // One random event. Answers what was broken, empty if nothing.
  std::string Step();
  // Lets everything finish: no more faults. Answers what was broken or never ended.
  std::string Drain();
  int ended() const { return static_cast<int>(finished_.size()); }

 private:
  uint64_t Pick(uint64_t bound) { return random_() % bound; }
  void Submit();
  void Enqueue(int64_t due);
  // claims.cc
  void Claim();
  server::PoolState Pool(const server::Matcher& matcher) const;
  std::vector<Queued> Candidates(const server::ClaimPlan& plan) const;
  void Grant(const Queued& run, int worker);
  std::vector<server::SlotScope> ScopesOf(int queue, int deployment,
                                          const std::vector<int>& shares) const;
  server::SlotsLeft SlotsLeftNow() const;
  void CheckOrder(const std::vector<Queued>& waited, const std::set<int>& granted,
                  const server::SlotsLeft& left);
  // fires.cc
  void LookAtSchedule();
  std::string CheckFires() const;
  void Report();
  void BeatAll();
  void KillWorker();
  void StartWorker();
  void Expire();
  void Adopt();
  void Cancel();
  void PauseOrResume();
  void TimeOut();
  void ChangeLimits();
  void StaleReport();
  void Apply(int run, const server::Event& event);
  void Begin(int run, int attempt);
  std::string Check();

  std::mt19937_64 random_;
  int64_t now_ = 0;
  int next_run_ = 1;
  int next_worker_ = 1;
  bool calm_ = false;
  // Limits and pauses as they stand; use and demand are filled in by whoever claims.
  server::PoolState pool_;
  // What the other server saw when it last looked: it plans by that.
  server::PoolState seen_before_;
  std::array<Deployment, kDeployments> deployments_;
  std::array<std::optional<int>, kSharedLimits> shared_;
  // The schedule, and each server's idea of how far its runs are made.
  server::Timetable timetable_;
  int64_t made_until_ = 0;
  int64_t stale_made_until_ = 0;
  int64_t fence_ = 0;
  std::map<int64_t, int> fired_;
  std::vector<Queued> queued_;
  std::map<int, Held> held_;
  std::map<int, server::Outcome> finished_;
  std::map<int, int> last_attempt_;
  std::map<int, int64_t> last_epoch_;
  std::set<std::pair<int, int>> begun_;
  std::map<int, SimWorker> workers_;
  std::string broken_;
};

}  // namespace forebay::simulation
