#pragma once

// Every method of the API over HTTP/1.1, as the Connect protocol says: POST
// /forebay.v1.Service/Method with the message as JSON or binary.
// Source: https://connectrpc.com/docs/protocol, unary RPCs. All methods are unary. Same handlers,
// same credentials, same errors as over gRPC. Thread-safe.

#include <memory>

#include "server/api/service_table.h"
#include "server/http/http_exchange.h"

namespace forebay::server {

// Answers a request whose path may be that of a method.
void AnswerConnect(ServiceTable& table, const std::shared_ptr<HttpExchange>& exchange);

}  // namespace forebay::server
