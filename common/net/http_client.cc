#include "common/net/http_client.h"

#include <cstring>
#include <optional>

#include "common/base/status.h"
#include "common/net/transfer.h"

namespace forebay {
namespace {

constexpr size_t kMostIdle = 16;
constexpr int kLongestWaitMillis = 60'000;

}  // namespace

// One connection, and the handles to use it. The multi handle is there because it can be woken.
class HttpClient::Lane {
 public:
  Lane() : multi_(curl_multi_init()) {}
  ~Lane() { curl_multi_cleanup(multi_); }
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  absl::StatusOr<HttpResponse> Do(const HttpServer& server, const HttpRequest& request,
                                  Cancellation* cancellation) {
    transfer_.Prepare(server, request);
    if (cancellation != nullptr) cancellation->Attach(multi_, Wake);
    curl_multi_add_handle(multi_, transfer_.handle());
    const auto code = Perform(cancellation);
    if (cancellation != nullptr) cancellation->Detach(multi_);
    auto response = code.has_value() ? transfer_.Outcome(*code) : Cancelled();
    curl_multi_remove_handle(multi_, transfer_.handle());
    return response;
  }

 private:
  static void Wake(void* multi) { curl_multi_wakeup(static_cast<CURLM*>(multi)); }

  static absl::Status Cancelled() {
    return Error(absl::StatusCode::kCancelled, "HTTP_CANCELLED").Says("the call was cancelled");
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

  CURLM* const multi_;
  Transfer transfer_;
};

HttpClient::HttpClient(HttpServer server) : server_(std::move(server)) {}
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
