#pragma once

// One way to reach a server, for the worker and the command line.

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <memory>
#include <string>

#include "absl/status/statusor.h"

namespace forebay {

struct ServerAddress {
  // host:port.
  std::string target;
  // PEM of the certificate authority; empty = plain text.
  std::string tls_ca_pem;
};

// A lazily connecting channel with keepalive pings (a dead peer is noticed within 30 s) and
// reconnect pauses of at most 2 s with jitter. Thread-safe.
std::shared_ptr<grpc::Channel> OpenChannel(const ServerAddress& address);

// Puts the credential into the call's metadata: `authorization: Bearer <token>`.
void Authorize(grpc::ClientContext& context, const std::string& token);

}  // namespace forebay
