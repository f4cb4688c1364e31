#pragma once

// Runs set aside by a user and brought back. Blocking; on the caller's session.

#include "absl/status/status.h"
#include "server/claim/signals.h"
#include "server/db/session.h"

namespace forebay::server {

// A waiting run steps out of its queue; a held one is asked to end and steps out when it has. OK
// also when it was so before. NOT_FOUND (FLOW_RUN_NOT_FOUND), FAILED_PRECONDITION (RUN_FINISHED,
// RUN_CANCELLING).
absl::Status PauseRun(Session& session, Signals& signals, const Uuid& team, const Uuid& run);

// A paused run waits in its queue again. OK for a run that is not paused and not over. NOT_FOUND
// (FLOW_RUN_NOT_FOUND), FAILED_PRECONDITION (RUN_FINISHED, RUN_SUSPENDING).
absl::Status ResumeRun(Session& session, Signals& signals, const Uuid& team, const Uuid& run);

}  // namespace forebay::server
