#pragma once

// A small control plane in memory around the pure core: the claim plan, the matcher and the
// transition table are the real ones, the database is a few maps, time is a number. One seed is one
// schedule of submissions, claims, reports, lost workers, pauses, limit changes and cancels.
//
// After every step Check() asserts what must always hold (docs/guide/faults.md): limits are kept, a
// run is in one place, attempts and epochs only grow, user code begins at most once per attempt,
// nothing ends twice, order is kept.

#include <cstdint>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "server/claim/matcher.h"
#include "server/queue/claim_plan.h"
#include "server/runs/transition.h"

namespace forebay::simulation {

struct Queued {
  int run = 0;
  int queue = 0;
  int64_t due = 0;
  int attempt = 1;
  int64_t epoch = 0;
  server::HeldState budget;
};

struct Held {
  int queue = 0;
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
  void Claim();
  void Report();
  void BeatAll();
  void KillWorker();
  void StartWorker();
  void Expire();
  void Adopt();
  void Cancel();
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
  server::PoolState pool_;
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
