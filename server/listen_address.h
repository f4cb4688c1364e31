#pragma once

// Where the server may listen.

#include <string>

#include "absl/status/status.h"
#include "forebay/config/v1/server_config.pb.h"

namespace forebay::server {

// INVALID_ARGUMENT (INVALID_ADDRESS) unless `address`, the value of `field`, is host:port;
// FAILED_PRECONDITION (INSECURE_LISTEN) when the host is beyond loopback and neither TLS nor
// insecure_listen is configured.
absl::Status CheckListenAddress(const std::string& field, const std::string& address,
                                const config::v1::ServerConfig& config);
// `http_listen` where it was not given: beside `listen`.
std::string DefaultHttpListen(const std::string& listen);
// As WithPort, with the name of this host instead of an address that stands for all of its own.
std::string ReachableAddress(const std::string& address, int port);
// `address` with the port that was taken.
std::string WithPort(const std::string& address, int port);
// The host of "host:port" or "[v6]:port".
std::string HostOf(const std::string& listen);

}  // namespace forebay::server
