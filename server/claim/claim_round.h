#pragma once

// One round of claiming for one pool: ready runs meet the parked demand of this server in one
// transaction.
//
//   share the pool's limits -> read pool and queues -> plan (server/queue) -> lock candidates in
//   order -> reserve a slot for each -> grant -> commit -> deliver
//
// Safe beside any number of other servers: candidates are locked with SKIP LOCKED, slots are
// counted under the counters' locks, and a run has at most one row in held_attempts. Blocking;
// called by the dispatcher's threads.

#include "common/base/random.h"
#include "server/claim/parking.h"
#include "server/db/session.h"
#include "server/store/snapshots.h"

namespace forebay::server {

struct RoundResult {
  int granted = 0;
  // There may be more to claim right now.
  bool more = false;
  // How long until the pool's next waiting run becomes due, if nothing was left to claim.
  std::optional<absl::Duration> next_due_in;
};

class ClaimRound {
 public:
  ClaimRound(Parking& parking, Snapshots& snapshots, Random& random)
      : parking_(parking), snapshots_(snapshots), random_(random) {}

  absl::StatusOr<RoundResult> Run(Session& session, const Uuid& pool);

 private:
  struct Plan;
  struct Candidate;
  absl::StatusOr<Plan> MakePlan(Session& session, const Uuid& pool);
  absl::StatusOr<std::vector<Candidate>> Candidates(Session& session, const Plan& plan);
  absl::Status Grant(Session& session, const Uuid& pool, const Plan& plan,
                     std::vector<Candidate>& candidates);
  void Deliver(const Uuid& pool, std::vector<Candidate>& candidates,
               const Snapshots::Deployments& deployments);

  Parking& parking_;
  Snapshots& snapshots_;
  Random& random_;
};

}  // namespace forebay::server
