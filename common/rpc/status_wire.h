#pragma once

// absl::Status <-> grpc::Status with the ErrorInfo carried in the status details (AIP-193). Used at
// every RPC edge of server, worker and command line. Pure; thread-safe.

#include <grpcpp/support/status.h>

#include "absl/status/status.h"

namespace forebay {

grpc::Status ToGrpc(const absl::Status& status);
absl::Status FromGrpc(const grpc::Status& status);

}  // namespace forebay
