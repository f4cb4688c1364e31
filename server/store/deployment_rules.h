#pragma once

// Of a deployment: how many of its runs at once, when they are tried again, how long they may take.
// Between the message and the columns. Pure but for the Rows.

#include "absl/status/status.h"
#include "forebay/v1/deployment.pb.h"
#include "server/db/session.h"

namespace forebay::server {

// INVALID_ARGUMENT (OUT_OF_RANGE, INVALID_NAME) naming field and value.
absl::Status CheckRules(const v1::Deployment& deployment);

// concurrency_limit, collision, retries, retry_delays_ms, retry_jitter, retry_on, timeout_ms: as
// parameters, and read from seven columns from `column` on.
void AddRules(const v1::Deployment& deployment, Args& args);
void ReadRules(const Rows& rows, size_t row, int column, v1::Deployment& deployment);

}  // namespace forebay::server
