#pragma once

// Runs that somebody starts by hand: `python flow.py`. They run where they are typed, wait for
// nothing and take no slot; the server keeps what they say of themselves.

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/base/random.h"
#include "common/base/uuid.h"
#include "forebay/v1/flow_run.pb.h"
#include "server/auth/caller.h"
#include "server/db/session.h"

namespace forebay::server {

// The pool and the deployments of flows that such runs are listed under; made when first needed.
inline constexpr char kByHand[] = "by-hand";

// FAILED_PRECONDITION (STARTED_BY_HAND) for `deployment` if it is one that such runs are listed
// under: `what` cannot be done with it.
absl::Status RefuseByHand(const std::string& flow, const std::string& deployment,
                          std::string_view what);

// Begins one. Blocking; on the caller's session. INVALID_ARGUMENT naming the field (INVALID_NAME,
// INVALID_JSON, TOO_LARGE).
absl::StatusOr<v1::BeginFlowRunResponse> BeginByHand(Session& session, const Caller& caller,
                                                     UuidSource& ids, Random& random,
                                                     const v1::BeginFlowRunRequest& request);

}  // namespace forebay::server
