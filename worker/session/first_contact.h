#pragma once

// What has to be asked of the server before there is a worker.

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/base/random.h"
#include "common/base/uuid.h"
#include "worker/session/registration.h"
#include "worker/session/server_api.h"

namespace forebay::worker {

// Makes the call until the server answers it, however long that takes, and says once that it does
// not. The answer's error, or CANCELLED when the worker was asked to end.
absl::Status UntilAnswered(Registration& registration, Random& random, const std::string& address,
                           const std::function<absl::Status()>& call);

// The type of the pool in `request`, for a worker that serves whatever it is. Registers nothing.
absl::StatusOr<std::string> PoolType(ServerApi& api, UuidSource& ids,
                                     v1::RegisterWorkerRequest request);

}  // namespace forebay::worker
