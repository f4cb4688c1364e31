#pragma once

// Where a run stands, for the calls that change it. Blocking; on the caller's session.

#include "absl/status/statusor.h"
#include "common/base/uuid.h"
#include "server/db/session.h"
#include "server/runs/transition.h"

namespace forebay::server {

struct Standing {
  bool finished = false;
  bool queued = false;
  bool paused = false;
  bool held = false;
  Stop stop = Stop::kNone;
};

// NOT_FOUND (FLOW_RUN_NOT_FOUND). What it says may be over a moment later.
absl::StatusOr<Standing> StandingOf(Session& session, const Uuid& team, const Uuid& run);

absl::Status RunNotFound(const Uuid& run);
// FAILED_PRECONDITION (RUN_FINISHED).
absl::Status RunFinished(const Uuid& run);
// FAILED_PRECONDITION (RUN_NOT_FINISHED).
absl::Status RunNotFinished(const Uuid& run);

}  // namespace forebay::server
