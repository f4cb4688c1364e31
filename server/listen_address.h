#pragma once

// Where the server may listen.

#include <string>

#include "absl/status/status.h"
#include "forebay/config/v1/server_config.pb.h"

namespace forebay::server {

// INVALID_ARGUMENT (INVALID_ADDRESS) unless `listen` is host:port; FAILED_PRECONDITION
// (INSECURE_LISTEN) when the host is beyond loopback and neither TLS nor insecure_listen is
// configured.
absl::Status CheckListenAddress(const config::v1::ServerConfig& config);
// The host of "host:port" or "[v6]:port".
std::string HostOf(const std::string& listen);

}  // namespace forebay::server
