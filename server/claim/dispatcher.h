#pragma once

// Decides when a pool is claimed for: as soon as somebody parked could take something that might be
// ready.
//
// A pool has work "hinted" by a submission, a freed slot, a notification of another server, a run
// that becomes due, or the slow probe. A hint and parked demand together start a round
// (claim_round.h) on one of two threads; while it runs, new hints gather for the next. Nothing here
// is needed for correctness: a lost hint costs one probe interval. Thread-safe.

#include <deque>
#include <map>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/sync.h"
#include "server/claim/claim_round.h"
#include "server/claim/parking.h"

namespace forebay::server {

class Dispatcher {
 public:
  struct Options {
    std::string database_url;
    absl::Duration probe_interval;
    int threads = 2;
  };
  Dispatcher(Options options, const ClaimRound::Shared& shared);
  // Ends after the rounds under way.
  ~Dispatcher();

  // Something may be ready in the pool.
  void WorkReady(const Uuid& pool);
  // What waits may go on. False: nothing does, as the last round left nothing and no hint came
  // since.
  bool SlotsFreed(const Uuid& pool);
  // A poll was parked: what was hinted before may go to it.
  void DemandArrived(const Uuid& pool);

 private:
  struct PoolWork {
    // A pool is hinted at its first sight: it may have a backlog from before this server.
    bool hinted = true;
    bool claiming = false;
    bool drained = false;
    // On Clock::Monotonic: when a waiting run becomes due.
    std::optional<absl::Duration> next_due;
    absl::Duration retry_at = absl::ZeroDuration();
  };
  void ClaimLoop();
  void TimerLoop();
  void Consider(const Uuid& pool) REQUIRES(mutex_);
  void Settle(const Uuid& pool, const absl::StatusOr<RoundResult>& result);
  void RaiseDue(absl::Duration now);
  void Probe(Session& session);

  const Options options_;
  Parking& parking_;
  const Clock& clock_;
  ClaimRound round_;

  mutable Mutex mutex_;
  CondVar claim_wake_;
  CondVar timer_wake_;
  absl::flat_hash_map<Uuid, PoolWork> pools_ GUARDED_BY(mutex_);
  std::deque<Uuid> to_claim_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace forebay::server
