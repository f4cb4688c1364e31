#pragma once

// Grants told a second time: after a lost answer (replay) and to a new holder (adoption). Blocking;
// on the caller's session. Both give a fresh ticket, so the earlier one is worthless from then on.

#include <vector>

#include "common/base/random.h"
#include "forebay/v1/worker_protocol.pb.h"
#include "server/claim/worker_directory.h"
#include "server/db/session.h"
#include "server/store/snapshots.h"

namespace forebay::server {

// What the poll with this request id was granted and still stands before its start gate.
absl::StatusOr<std::vector<v1::Assignment>> ReplayGrants(Session& session, Snapshots& snapshots,
                                                         Random& random, const Uuid& worker,
                                                         const Uuid& request);

// Hands attempts over whose holder has no lease any more. One answer a sighting.
absl::StatusOr<v1::AdoptAttemptsResponse> AdoptAttempts(Session& session, Snapshots& snapshots,
                                                        Random& random, const KnownWorker& worker,
                                                        const v1::AdoptAttemptsRequest& request);

}  // namespace forebay::server
