#include "server/listen_address.h"

#include "common/base/status.h"
#include "common/base/text.h"

namespace forebay::server {
namespace {

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

absl::Status CheckListenAddress(const config::v1::ServerConfig& config) {
  const size_t colon = config.listen().rfind(':');
  const auto port =
      colon == std::string::npos ? std::nullopt : ParseInt(config.listen().substr(colon + 1));
  if (!port.has_value() || *port < 0 || *port > 65535 || colon == 0) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_ADDRESS")
        .Field("listen", config.listen())
        .Says("listen '{}' is not host:port", config.listen());
  }
  if (IsLoopback(HostOf(config.listen())) || config.insecure_listen() ||
      !config.tls_certificate_file().empty()) {
    return absl::OkStatus();
  }
  return Error(absl::StatusCode::kFailedPrecondition, "INSECURE_LISTEN")
      .Field("listen", config.listen())
      .Next(
          "forebay server start --listen <host:port> --tls-certificate-file <pem> --tls-key-file "
          "<pem>")
      .Says(
          "listen '{}' is reachable from other hosts; give a TLS certificate, or --insecure-listen "
          "if keys may travel "
          "in the clear",
          config.listen());
}

}  // namespace forebay::server
