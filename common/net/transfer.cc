#include "common/net/transfer.h"

#include <cstring>

#include "common/base/status.h"
#include "common/base/text.h"

namespace forebay {
namespace {

constexpr size_t kMostBody = 64 << 20;

long Millis(absl::Duration duration) {
  return duration == absl::InfiniteDuration()
             ? 0
             : static_cast<long>(std::max<int64_t>(absl::ToInt64Milliseconds(duration), 1));
}

// libcurl only reads it, whatever its type says.
curl_blob Blob(const std::string& bytes) {
  return {const_cast<char*>(bytes.data()), bytes.size(), CURL_BLOB_COPY};
}

}  // namespace

Transfer::Transfer(const CurlLibrary& curl) : curl_(curl), easy_(curl_.easy_init()) {}

Transfer::~Transfer() {
  curl_.easy_cleanup(easy_);
  curl_.slist_free_all(headers_);
  curl_.slist_free_all(connect_to_);
}

size_t Transfer::OnBody(char* data, size_t size, size_t count, void* transfer) {
  const size_t bytes = size * count;
  return static_cast<Transfer*>(transfer)->Take({data, bytes}) ? bytes : bytes + 1;
}

size_t Transfer::OnHeader(char* data, size_t size, size_t count, void* transfer) {
  static_cast<Transfer*>(transfer)->TakeHeader({data, size * count});
  return size * count;
}

bool Transfer::Take(std::string_view bytes) {
  long status = 0;
  curl_.easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  if (request_->sink && status < 400) {
    sink_done_ = !request_->sink(bytes);
    return !sink_done_;
  }
  too_large_ = response_.body.size() + bytes.size() > kMostBody;
  if (!too_large_) response_.body += bytes;
  return !too_large_;
}

void Transfer::TakeHeader(std::string_view line) {
  if (Trim(line).empty()) return HeadersEnded();
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return;
  std::string& value = response_.headers[ToLower(line.substr(0, colon))];
  if (!value.empty()) value += ", ";
  value += Trim(line.substr(colon + 1));
}

void Transfer::HeadersEnded() {
  long status = 0;
  curl_.easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  if (request_->began && status >= 200 && status < 400) request_->began();
}

void Transfer::Prepare(const HttpServer& server, const HttpRequest& request) {
  curl_.easy_reset(easy_);
  error_[0] = '\0';
  request_ = &request;
  response_ = HttpResponse();
  too_large_ = sink_done_ = false;
  const std::string url = server.base_url + request.path;
  curl_.easy_setopt(easy_, CURLOPT_URL, url.c_str());
  curl_.easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  curl_.easy_setopt(easy_, CURLOPT_ERRORBUFFER, error_);
  curl_.easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
  curl_.easy_setopt(easy_, CURLOPT_PROXY, "");
  // Streams of HTTP/2 that share a connection wait for each other in libcurl 7.88.
  curl_.easy_setopt(easy_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_.easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS, Millis(request.connect_timeout));
  curl_.easy_setopt(easy_, CURLOPT_TIMEOUT_MS, Millis(request.timeout));
  curl_.easy_setopt(easy_, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_.easy_setopt(easy_, CURLOPT_WRITEFUNCTION, OnBody);
  curl_.easy_setopt(easy_, CURLOPT_WRITEDATA, this);
  curl_.easy_setopt(easy_, CURLOPT_HEADERFUNCTION, OnHeader);
  curl_.easy_setopt(easy_, CURLOPT_HEADERDATA, this);
  PrepareServer(server);
  PrepareBody(request);
}

void Transfer::PrepareServer(const HttpServer& server) {
  const auto set = [this](CURLoption option, const std::string& value) {
    if (!value.empty()) curl_.easy_setopt(easy_, option, value.c_str());
  };
  const auto set_pem = [this](CURLoption option, const std::string& pem) {
    const curl_blob blob = Blob(pem);
    if (!pem.empty()) curl_.easy_setopt(easy_, option, &blob);
  };
  curl_.easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_UNIX_SOCKET_PATH, server.unix_socket);
  set(CURLOPT_CAINFO, server.tls_ca_file);
  set(CURLOPT_SSLCERT, server.tls_certificate_file);
  set(CURLOPT_SSLKEY, server.tls_key_file);
  set_pem(CURLOPT_CAINFO_BLOB, server.tls_ca_pem);
  // Who names an authority trusts no other: not those of the system's directory either.
  if (!server.tls_ca_pem.empty()) curl_.easy_setopt(easy_, CURLOPT_CAPATH, nullptr);
  set_pem(CURLOPT_SSLCERT_BLOB, server.tls_certificate_pem);
  set_pem(CURLOPT_SSLKEY_BLOB, server.tls_key_pem);
  curl_.slist_free_all(connect_to_);
  connect_to_ = nullptr;
  if (server.connect_to.empty()) return;
  connect_to_ = curl_.slist_append(nullptr, ("::" + server.connect_to).c_str());
  curl_.easy_setopt(easy_, CURLOPT_CONNECT_TO, connect_to_);
}

void Transfer::AddHeader(const std::string& header) {
  headers_ = curl_.slist_append(headers_, header.c_str());
}

void Transfer::PrepareBody(const HttpRequest& request) {
  curl_.slist_free_all(headers_);
  headers_ = nullptr;
  for (const std::string& header : request.headers) AddHeader(header);
  // Without a wait for "100 Continue".
  AddHeader("Expect:");
  if (request.method == "HEAD") curl_.easy_setopt(easy_, CURLOPT_NOBODY, 1L);
  if (!request.body.empty()) AddHeader("Content-Type: " + request.content_type);
  if (!request.body.empty() || request.method == "POST") {
    curl_.easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE,
                      static_cast<curl_off_t>(request.body.size()));
    curl_.easy_setopt(easy_, CURLOPT_POSTFIELDS, request.body.data());
  }
  curl_.easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
}

absl::StatusOr<HttpResponse> Transfer::Outcome(CURLcode code) {
  long status = 0;
  curl_.easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
  response_.status = static_cast<int>(status);
  if (too_large_) {
    return Error(absl::StatusCode::kResourceExhausted, "HTTP_TOO_LARGE")
        .Says("the answer has more than {} bytes", kMostBody);
  }
  if (code != CURLE_OK && !sink_done_) return TransferError(code);
  return std::move(response_);
}

absl::Status Transfer::TransferError(CURLcode code) const {
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return Error(absl::StatusCode::kDeadlineExceeded, "HTTP_TIMEOUT").Says("no answer in time");
  }
  long os_error = 0;
  curl_.easy_getinfo(easy_, CURLINFO_OS_ERRNO, &os_error);
  std::string why = error_[0] != '\0' ? error_ : curl_.easy_strerror(code);
  if (os_error != 0) why += fmt::format(" ({})", std::strerror(static_cast<int>(os_error)));
  return Error(absl::StatusCode::kUnavailable, "HTTP_UNAVAILABLE").Says("{}", why);
}

}  // namespace forebay
