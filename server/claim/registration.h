#pragma once

// A worker's coming and going. Blocking; on the caller's session.

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/uuid.h"
#include "forebay/v1/worker_protocol.pb.h"
#include "server/auth/caller.h"
#include "server/claim/signals.h"
#include "server/db/session.h"
#include "server/store/snapshots.h"

namespace forebay::server {

// Makes the instance and opens its lease; ends the leases of those it replaces. Repeating it with
// the same instance id answers the same worker. PERMISSION_DENIED (NOT_YOUR_POOL),
// FAILED_PRECONDITION (POOL_TYPE_MISMATCH), INVALID_ARGUMENT, NOT_FOUND (WORK_QUEUE_NOT_FOUND).
absl::StatusOr<v1::RegisterWorkerResponse> RegisterWorker(Session& session, Snapshots& snapshots,
                                                          UuidSource& ids, const Caller& caller,
                                                          const v1::RegisterWorkerRequest& request);

// Ends leases now; what was held becomes orphaned and adoptable.
absl::Status EndLeases(Session& session, const std::vector<Uuid>& workers);

}  // namespace forebay::server
