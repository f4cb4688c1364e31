#pragma once

// What will run in a pool: waiting runs, and the fires of its schedules for which no run was made
// yet. Blocking; on the caller's session.

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/uuid.h"
#include "forebay/v1/work_pool.pb.h"
#include "server/db/session.h"

namespace forebay::server {

// By due time, at most `most`; of the team's deployments.
absl::StatusOr<v1::ListUpcomingRunsResponse> UpcomingRuns(Session& session, const Uuid& team,
                                                          const std::string& pool,
                                                          absl::Duration within, int most);

}  // namespace forebay::server
