#pragma once

// What would be launched, and what a policy would say to the deployments of a pool: for those who
// ask before they act. Blocking; on the caller's session. Nothing is written.

#include "absl/status/statusor.h"
#include "forebay/v1/work_pool.pb.h"
#include "server/auth/caller.h"
#include "server/db/session.h"
#include "server/store/snapshots.h"

namespace forebay::server {

// As of WorkPoolService.RenderJob. The caller sees deployments of their own team.
absl::StatusOr<v1::RenderJobResponse> RenderJob(Session& session, Snapshots& snapshots,
                                                const Caller& caller,
                                                const v1::RenderJobRequest& request);
// As of WorkPoolService.CheckPolicy.
absl::StatusOr<v1::CheckPolicyResponse> CheckPolicy(Session& session, Snapshots& snapshots,
                                                    const Caller& caller,
                                                    const v1::CheckPolicyRequest& request);

}  // namespace forebay::server
