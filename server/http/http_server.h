#pragma once

// The HTTP/1.1 listener: connections, time limits, size limits. What a request means is its
// handler's business.
//
// A client that is slow, silent or gone costs its own connection and nothing else: each stage has a
// time limit, and when there are too many connections, the one that has been idle longest makes
// room.

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/http/http_exchange.h"

namespace forebay::server {

struct HttpOptions {
  // host:port; port 0 takes a free one.
  std::string listen;
  // PEM texts; both empty: without TLS.
  std::string certificate;
  std::string key;
  int threads = 2;
  int most_connections = 4096;
  // Of one request, and of all that are being read or answered.
  size_t most_body_bytes = 16 << 20;
  size_t most_bytes_in_flight = 256 << 20;
  // From the first byte to the last of a header; between two requests; a body gets the first
  // and a second for each 64 KiB.
  absl::Duration header_time = absl::Seconds(10);
  absl::Duration idle_time = absl::Seconds(75);
};

class HttpServer {
 public:
  // Takes the address; clients wait. UNAVAILABLE (ADDRESS_IN_USE), INVALID_ARGUMENT (TLS_INVALID).
  static absl::StatusOr<std::unique_ptr<HttpServer>> Listen(const HttpOptions& options);
  // Every exchange has to be gone.
  ~HttpServer();

  int port() const;
  // Once: answers requests from now on.
  void Serve(HttpHandler handler);
  int connections() const;
  // Takes no new request and waits until those under way are answered, or for so long.
  void Drain(absl::Duration time);

 private:
  struct Parts;
  explicit HttpServer(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace forebay::server
