#pragma once

// Stops runs and removes finished ones. Blocking; on the caller's session.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "server/claim/signals.h"
#include "server/db/session.h"

namespace forebay::server {

// A waiting run ends CANCELLED now; a held one gets its stop asked for, which its worker confirms
// later. OK also when the stop had been asked for before. FAILED_PRECONDITION (RUN_FINISHED),
// NOT_FOUND (FLOW_RUN_NOT_FOUND).
absl::Status CancelRun(Session& session, Signals& signals, const Uuid& team, const Uuid& run);

// Ends waiting runs in the caller's transaction, with `why` as the message.
absl::Status CancelQueued(Session& session, const std::vector<Uuid>& runs, std::string_view why);

// FAILED_PRECONDITION (RUN_NOT_FINISHED), NOT_FOUND (FLOW_RUN_NOT_FOUND).
absl::Status DeleteRun(Session& session, const Uuid& team, const Uuid& run);

absl::Status RunNotFound(const Uuid& run);

}  // namespace forebay::server
