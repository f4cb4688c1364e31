#pragma once

// Slots of limited scopes, counted in the transaction that grants: locked in one fixed order, read
// under the locks, taken with the grant. So no limit is ever exceeded, whatever other servers do.
// Blocking; in the caller's transaction.

#include <set>
#include <vector>

#include "absl/status/status.h"
#include "server/claim/candidates.h"
#include "server/db/session.h"
#include "server/queue/admission.h"

namespace forebay::server {

class SlotLedger {
 public:
  // Locks the counters that the candidates would take slots of, and drops the candidates for which
  // there are none left. `dropped` counts them.
  absl::Status Admit(Session& session, const Uuid& pool, std::vector<Candidate>& candidates,
                     int& dropped);
  // Limits of an admitted candidate whose slots come back with the attempt's end.
  std::vector<Uuid> HeldLimits(const Candidate& candidate) const;
  // Takes the slots of what was granted.
  absl::Status Take(Session& session, const Uuid& pool,
                    const std::vector<Candidate>& candidates) const;

 private:
  SlotsLeft left_;
  std::set<Uuid> decaying_;
};

}  // namespace forebay::server
