#pragma once

// Pages of a run's log. Blocking; on the caller's session.

#include "absl/status/statusor.h"
#include "forebay/v1/log.pb.h"
#include "server/db/session.h"

namespace forebay::server {

// Lines from `offset` on, at most `most`; `complete` when the run is over and nothing is behind
// them.
absl::StatusOr<v1::ListLogLinesResponse> ReadLog(Session& session, const Uuid& team,
                                                 const Uuid& run, int64_t offset, int most);

}  // namespace forebay::server
