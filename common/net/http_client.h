#pragma once

// HTTP to one server, over TCP, TLS or a Unix socket (libcurl, see curl_library.h). Follows no
// redirects, keeps no cookies, asks no proxy.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/sync.h"
#include "common/net/cancellation.h"

namespace forebay {

struct CurlLibrary;

struct HttpServer {
  // "http://localhost", "https://engine.example:2376"; paths are put behind it.
  std::string base_url;
  // Path of the socket to connect to instead; empty: TCP.
  std::string unix_socket;
  // PEM files for https; empty: the system's authorities, no client certificate.
  std::string tls_ca_file;
  std::string tls_certificate_file;
  std::string tls_key_file;
  // The same as PEM text; they win over the files.
  std::string tls_ca_pem;
  std::string tls_certificate_pem;
  std::string tls_key_pem;
  // "host:port" to connect to in place of the one in base_url, whose host is the name that the
  // server's certificate is checked for. Empty: the one in base_url.
  std::string connect_to;

  bool operator==(const HttpServer&) const = default;
};

struct HttpRequest {
  std::string method = "GET";
  // With query, escaped.
  std::string path;
  std::string body;
  // Of a body that is not empty.
  std::string content_type = "application/json";
  // "Name: value".
  std::vector<std::string> headers;
  absl::Duration connect_timeout = absl::Seconds(10);
  // For all of it.
  absl::Duration timeout = absl::InfiniteDuration();
  // Gets the body of a good answer (status below 400) piece by piece, as it comes, on the calling
  // thread; false ends the call with OK.
  std::function<bool(std::string_view)> sink;
  // Called when a good answer begins, before its body; may be empty.
  std::function<void()> began;
};

struct HttpResponse {
  int status = 0;
  // What did not go to a sink.
  std::string body;
  // By their names in lower case; those that come twice with a comma between.
  std::map<std::string, std::string> headers;
};

// Connections are kept and used again. Thread-safe; calls block and run side by side.
class HttpClient {
 public:
  HttpClient(const CurlLibrary& curl, HttpServer server);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Any answer of the server is OK, whatever its status. UNAVAILABLE (HTTP_UNAVAILABLE) when there
  // is no connection or it breaks, DEADLINE_EXCEEDED (HTTP_TIMEOUT), CANCELLED (HTTP_CANCELLED),
  // RESOURCE_EXHAUSTED (HTTP_TOO_LARGE) for a body above 64 MiB.
  absl::StatusOr<HttpResponse> Do(const HttpRequest& request, Cancellation* cancellation = nullptr);

 private:
  class Lane;
  std::unique_ptr<Lane> TakeLane();
  void ReturnLane(std::unique_ptr<Lane> lane);

  const CurlLibrary& curl_;
  const HttpServer server_;
  Mutex mutex_;
  std::vector<std::unique_ptr<Lane>> idle_ GUARDED_BY(mutex_);
};

// `text` for use in a path or query.
std::string UrlEscape(std::string_view text);

}  // namespace forebay
