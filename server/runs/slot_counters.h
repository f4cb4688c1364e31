#pragma once

// The counters of slots in use, for those who grant and those who release. Blocking; in the
// caller's transaction.

#include <map>
#include <vector>

#include "absl/status/status.h"
#include "server/db/session.h"
#include "server/queue/admission.h"

namespace forebay::server {

// Shares the limits of the pools with other grants and releases for the length of the transaction.
absl::Status ShareLimits(Session& session, const std::vector<Uuid>& pools);

// Adds to the counters of the scopes that have one; they are locked in one fixed order.
absl::Status BumpCounters(Session& session, const std::map<SlotScope, int>& deltas);

}  // namespace forebay::server
