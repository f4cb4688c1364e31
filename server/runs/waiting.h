#pragma once

// Why a run does not run now: the first cause in the order in which an operator would look.
// Computed when asked for, never stored. Blocking; on the caller's session.

#include "absl/status/statusor.h"
#include "forebay/v1/flow_run.pb.h"
#include "server/db/session.h"
#include "server/runs/run_row.h"

namespace forebay::server {

// For a run that is queued or held and not begun; an unset cause for every other.
absl::StatusOr<v1::Waiting> WhyItWaits(Session& session, const RunRow& row);

}  // namespace forebay::server
