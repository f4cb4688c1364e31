#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "common/base/random.h"
#include "worker/session/registration.h"
#include "worker/session/server_api.h"

namespace forebay::worker {

// The type of the pool that `request` names: a worker that says none is told which one would have
// been right. Waits for a server that cannot be reached; CANCELLED when asked to end meanwhile.
absl::StatusOr<std::string> AskPoolType(ServerApi& api, v1::RegisterWorkerRequest request,
                                        Registration& registration, Random& random);

}  // namespace forebay::worker
