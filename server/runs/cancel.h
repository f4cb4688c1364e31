#pragma once

// Stops runs and removes finished ones. Blocking; on the caller's session.

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "server/claim/signals.h"
#include "server/db/session.h"

namespace forebay::server {

// A waiting run ends CANCELLED now; a held one gets its stop asked for, which its worker confirms
// later. `grace` between SIGTERM and SIGKILL; absent: the pool's. OK also when the stop had been
// asked for before. FAILED_PRECONDITION (RUN_FINISHED), NOT_FOUND (FLOW_RUN_NOT_FOUND).
absl::Status CancelRun(Session& session, Signals& signals, const Uuid& team, const Uuid& run,
                       std::optional<absl::Duration> grace);

// Ends the runs that are due while their deployment's limit is reached, where it wants no queue of
// them (CANCEL_NEW). Of all pools without one. In the caller's transaction, if there is one.
absl::Status CancelCollisions(Session& session, const std::optional<Uuid>& pool);

// Ends waiting runs in the caller's transaction, with `why` as the message.
absl::Status CancelQueued(Session& session, const std::vector<Uuid>& runs, std::string_view why);

// FAILED_PRECONDITION (RUN_NOT_FINISHED), NOT_FOUND (FLOW_RUN_NOT_FOUND).
absl::Status DeleteRun(Session& session, const Uuid& team, const Uuid& run);

}  // namespace forebay::server
