#include "server/listen_address.h"

#include <unistd.h>

#include <array>

#include "common/base/status.h"
#include "common/base/text.h"

namespace forebay::server {
namespace {

constexpr int kHttpPortDistance = 1000;

bool IsLoopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.rfind("127.", 0) == 0;
}

}  // namespace

std::string HostOf(const std::string& listen) {
  std::string host = listen.substr(0, listen.rfind(':'));
  if (host.size() > 1 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  return host;
}

std::string WithPort(const std::string& address, int port) {
  return address.substr(0, address.rfind(':') + 1) + std::to_string(port);
}

std::string ReachableAddress(const std::string& address, int port) {
  const std::string host = HostOf(address);
  std::array<char, 256> name{};
  const bool all = host == "0.0.0.0" || host == "::";
  if (!all || gethostname(name.data(), name.size() - 1) != 0) return WithPort(address, port);
  return fmt::format("{}:{}", name.data(), port);
}

std::string DefaultHttpListen(const std::string& listen) {
  const auto port = ParseInt(listen.substr(listen.rfind(':') + 1));
  return WithPort(listen, port.value_or(0) == 0 ? 0 : static_cast<int>(*port) + kHttpPortDistance);
}

absl::Status CheckListenAddress(const std::string& field, const std::string& address,
                                const config::v1::ServerConfig& config) {
  const size_t colon = address.rfind(':');
  const auto port = colon == std::string::npos ? std::nullopt : ParseInt(address.substr(colon + 1));
  if (!port.has_value() || *port < 0 || *port > 65535 || colon == 0) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_ADDRESS")
        .Field(field, address)
        .Says("{} '{}' is not host:port", field, address);
  }
  if (IsLoopback(HostOf(address)) || config.insecure_listen() ||
      !config.tls_certificate_file().empty()) {
    return absl::OkStatus();
  }
  return Error(absl::StatusCode::kFailedPrecondition, "INSECURE_LISTEN")
      .Field(field, address)
      .Next(
          "forebay server start --listen <host:port> --tls-certificate-file <pem> --tls-key-file "
          "<pem>")
      .Says(
          "{} '{}' is reachable from other hosts; give a TLS certificate, or --insecure-listen "
          "if keys may travel "
          "in the clear",
          field, address);
}

}  // namespace forebay::server
