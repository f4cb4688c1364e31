#pragma once

// One round of claiming for one pool: ready runs meet the parked demand of this server in one
// transaction.
//
//   share the pool's limits -> read pool and queues -> plan (server/queue) -> lock candidates in
//   order, from the queues' low-water marks on -> admit those with slots (slot_ledger.h) -> reserve
//   a worker's slot for each -> grant -> commit -> move the marks -> deliver
//
// Safe beside any number of other servers: candidates are locked with SKIP LOCKED, slots are
// counted under the counters' locks, and a run has at most one row in held_attempts. Blocking;
// called by the dispatcher's threads, for one pool by one at a time.

#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/sync.h"
#include "server/claim/candidates.h"
#include "server/claim/parking.h"
#include "server/claim/shared_marks.h"
#include "server/db/session.h"
#include "server/runs/fresh_attempts.h"
#include "server/store/snapshots.h"
#include "server/submit/turnover.h"

namespace forebay::server {

struct RoundResult {
  int granted = 0;
  // There may be more to claim right now.
  bool more = false;
  // Nothing that is due was left, for lack of a slot or otherwise.
  bool drained = false;
  // How long until the pool's next waiting run becomes due, a slot comes back by itself, or a queue
  // that was read from its mark is to be read from its beginning, if nothing was left to claim.
  std::optional<absl::Duration> next_due_in;
};

class ClaimRound {
 public:
  // What is shared with those who submit and report.
  struct Shared {
    Parking& parking;
    Snapshots& snapshots;
    SharedMarks& marks;
    Turnover& turnover;
    FreshAttempts& fresh;
    const Clock& clock;
    Random& random;
  };
  explicit ClaimRound(const Shared& shared)
      : parking_(shared.parking),
        snapshots_(shared.snapshots),
        marks_(shared.marks),
        turnover_(shared.turnover),
        fresh_(shared.fresh),
        clock_(shared.clock),
        random_(shared.random) {}

  absl::StatusOr<RoundResult> Run(Session& session, const Uuid& pool);

 private:
  struct Plan;
  // What one round has gathered; thrown away and begun anew when its transaction is repeated.
  struct Round;
  absl::StatusOr<Plan> MakePlan(Session& session, const Uuid& pool);
  absl::Status Claim(Session& session, const Uuid& pool, Round& round);
  absl::Status FindCandidates(Session& session, const Uuid& pool, Round& round);
  absl::Status Grant(Session& session, const Uuid& pool, Round& round);
  void GiveBack(const Uuid& pool, Round& round);
  void FailPolls(const Uuid& pool, const Round& round);
  void CountTurnover(const Round& round);
  void Remember(const Uuid& pool, const Round& round);
  void Deliver(const Uuid& pool, Round& round);
  // How long until the queues are to be read from their beginning, if they were not.
  std::optional<absl::Duration> MoveMarks(Round& round);
  absl::Status FindNextDue(Session& session, const Uuid& pool, RoundResult& result);

  Parking& parking_;
  Snapshots& snapshots_;
  SharedMarks& marks_;
  Turnover& turnover_;
  FreshAttempts& fresh_;
  const Clock& clock_;
  Random& random_;
};

}  // namespace forebay::server
