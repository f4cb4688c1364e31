#pragma once

// A finished run as an order for a new one. Blocking; on the caller's session.

#include <string>

#include "absl/status/statusor.h"
#include "common/base/uuid.h"
#include "server/db/session.h"
#include "server/submit/submission.h"

namespace forebay::server {

// A terminal state is final, so a run is repeated by a new one with the same parameters, job
// variables and tags. `request_id` (may be empty) makes a repeat of the call answer the same new
// run. NOT_FOUND (FLOW_RUN_NOT_FOUND), FAILED_PRECONDITION (RUN_NOT_FINISHED, RUN_COMPLETED).
absl::StatusOr<RunOrder> OrderToRetry(Session& session, const Uuid& team, const Uuid& run,
                                      const std::string& request_id);

}  // namespace forebay::server
