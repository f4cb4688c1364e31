#pragma once

// Errors of the Connect protocol: the HTTP status and JSON body of an absl::Status.
// Source: https://connectrpc.com/docs/protocol, "Error codes", "Error end-stream". Pure.

#include "absl/status/status.h"
#include "server/http/http_exchange.h"

namespace forebay::server {

HttpResponse ConnectError(const absl::Status& status);

}  // namespace forebay::server
