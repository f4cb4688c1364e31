#include "common/net/http_client.h"

#include <curl/curl.h>

#include <cstring>
#include <mutex>

#include "common/base/status.h"

namespace forebay {
namespace {

constexpr size_t kMostIdle = 16;
constexpr size_t kMostBody = 64 << 20;
constexpr int kLongestWaitMillis = 60'000;

void InitialiseOnce() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

// What one call has collected.
struct Transfer {
  CURL* easy = nullptr;
  const HttpRequest* request = nullptr;
  HttpResponse response;
  bool too_large = false;
  bool sink_done = false;

  bool Take(std::string_view bytes) {
    long status = 0;
    curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    if (request->sink && status < 400) {
      sink_done = !request->sink(bytes);
      return !sink_done;
    }
    too_large = response.body.size() + bytes.size() > kMostBody;
    if (!too_large) response.body += bytes;
    return !too_large;
  }
};

size_t OnBody(char* data, size_t size, size_t count, void* transfer) {
  const size_t bytes = size * count;
  return static_cast<Transfer*>(transfer)->Take({data, bytes}) ? bytes : bytes + 1;
}

class HeaderList {
 public:
  ~HeaderList() { curl_slist_free_all(list_); }
  HeaderList() = default;
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  void Add(const std::string& header) { list_ = curl_slist_append(list_, header.c_str()); }
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

long Millis(absl::Duration duration) {
  return duration == absl::InfiniteDuration()
             ? 0
             : static_cast<long>(std::max<int64_t>(absl::ToInt64Milliseconds(duration), 1));
}

absl::Status TransferError(CURLcode code, CURL* easy, const char* text) {
  if (code == CURLE_OPERATION_TIMEDOUT) {
    return Error(absl::StatusCode::kDeadlineExceeded, "HTTP_TIMEOUT").Says("no answer in time");
  }
  long os_error = 0;
  curl_easy_getinfo(easy, CURLINFO_OS_ERRNO, &os_error);
  std::string why = text[0] != '\0' ? text : curl_easy_strerror(code);
  if (os_error != 0) why += fmt::format(" ({})", std::strerror(static_cast<int>(os_error)));
  return Error(absl::StatusCode::kUnavailable, "HTTP_UNAVAILABLE").Says("{}", why);
}

}  // namespace

// One connection, and the handles to use it. The multi handle is there because it can be woken.
class HttpClient::Lane {
 public:
  Lane() : multi_(curl_multi_init()), easy_(curl_easy_init()) {}
  ~Lane() {
    curl_easy_cleanup(easy_);
    curl_multi_cleanup(multi_);
  }
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  absl::StatusOr<HttpResponse> Do(const HttpServer& server, const HttpRequest& request,
                                  Cancellation* cancellation) {
    Transfer transfer;
    transfer.easy = easy_;
    transfer.request = &request;
    HeaderList headers;
    Configure(server, request, headers, transfer);
    if (cancellation != nullptr) cancellation->Attach(multi_, Wake);
    curl_multi_add_handle(multi_, easy_);
    const auto code = Perform(cancellation);
    if (cancellation != nullptr) cancellation->Detach(multi_);
    absl::Status status = Outcome(code, transfer);
    curl_multi_remove_handle(multi_, easy_);
    if (!status.ok()) return status;
    return std::move(transfer.response);
  }

 private:
  static void Wake(void* multi) { curl_multi_wakeup(static_cast<CURLM*>(multi)); }

  void Configure(const HttpServer& server, const HttpRequest& request, HeaderList& headers,
                 Transfer& transfer) {
    curl_easy_reset(easy_);
    error_[0] = '\0';
    const std::string url = server.base_url + request.path;
    curl_easy_setopt(easy_, CURLOPT_URL, url.c_str());
    curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, error_);
    curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy_, CURLOPT_PROXY, "");
    curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT_MS, Millis(request.connect_timeout));
    curl_easy_setopt(easy_, CURLOPT_TIMEOUT_MS, Millis(request.timeout));
    curl_easy_setopt(easy_, CURLOPT_TCP_KEEPALIVE, 1L);
    curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, OnBody);
    curl_easy_setopt(easy_, CURLOPT_WRITEDATA, &transfer);
    ConfigureServer(server);
    ConfigureBody(request, headers);
  }

  void ConfigureServer(const HttpServer& server) {
    const auto set = [this](CURLoption option, const std::string& value) {
      if (!value.empty()) curl_easy_setopt(easy_, option, value.c_str());
    };
    curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_UNIX_SOCKET_PATH, server.unix_socket);
    set(CURLOPT_CAINFO, server.tls_ca_file);
    set(CURLOPT_SSLCERT, server.tls_certificate_file);
    set(CURLOPT_SSLKEY, server.tls_key_file);
  }

  void ConfigureBody(const HttpRequest& request, HeaderList& headers) {
    for (const std::string& header : request.headers) headers.Add(header);
    // Without a wait for "100 Continue".
    headers.Add("Expect:");
    if (request.method == "HEAD") curl_easy_setopt(easy_, CURLOPT_NOBODY, 1L);
    if (!request.body.empty()) headers.Add("Content-Type: application/json");
    if (!request.body.empty() || request.method == "POST") {
      curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE,
                       static_cast<curl_off_t>(request.body.size()));
      curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, request.body.data());
    }
    curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers.get());
  }

  // Nothing when it was cancelled.
  std::optional<CURLcode> Perform(Cancellation* cancellation) {
    int running = 1;
    while (true) {
      if (cancellation != nullptr && cancellation->cancelled()) return std::nullopt;
      if (curl_multi_perform(multi_, &running) != CURLM_OK) return CURLE_FAILED_INIT;
      if (running == 0) break;
      curl_multi_poll(multi_, nullptr, 0, kLongestWaitMillis, nullptr);
    }
    int left = 0;
    const CURLMsg* message = curl_multi_info_read(multi_, &left);
    return message == nullptr ? CURLE_FAILED_INIT : message->data.result;
  }

  absl::Status Outcome(std::optional<CURLcode> code, Transfer& transfer) {
    if (!code.has_value()) {
      return Error(absl::StatusCode::kCancelled, "HTTP_CANCELLED").Says("the call was cancelled");
    }
    long status = 0;
    curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &status);
    transfer.response.status = static_cast<int>(status);
    if (transfer.too_large) {
      return Error(absl::StatusCode::kResourceExhausted, "HTTP_TOO_LARGE")
          .Says("the answer has more than {} bytes", kMostBody);
    }
    if (*code == CURLE_OK || transfer.sink_done) return absl::OkStatus();
    return TransferError(*code, easy_, error_);
  }

  CURLM* const multi_;
  CURL* const easy_;
  char error_[CURL_ERROR_SIZE] = {};
};

HttpClient::HttpClient(HttpServer server) : server_(std::move(server)) { InitialiseOnce(); }
HttpClient::~HttpClient() = default;

std::unique_ptr<HttpClient::Lane> HttpClient::TakeLane() {
  MutexLock lock(mutex_);
  if (idle_.empty()) return std::make_unique<Lane>();
  auto lane = std::move(idle_.back());
  idle_.pop_back();
  return lane;
}

void HttpClient::ReturnLane(std::unique_ptr<Lane> lane) {
  MutexLock lock(mutex_);
  if (idle_.size() < kMostIdle) idle_.push_back(std::move(lane));
}

absl::StatusOr<HttpResponse> HttpClient::Do(const HttpRequest& request,
                                            Cancellation* cancellation) {
  auto lane = TakeLane();
  auto response = lane->Do(server_, request, cancellation);
  ReturnLane(std::move(lane));
  return response;
}

std::string UrlEscape(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::strchr("-_.~", c) != nullptr;
    if (plain && c != '\0') {
      escaped += c;
    } else {
      escaped += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return escaped;
}

}  // namespace forebay
