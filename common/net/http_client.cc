#include "common/net/http_client.h"

#include <cstring>
#include <optional>

#include "common/base/status.h"
#include "common/net/curl_library.h"
#include "common/net/transfer.h"

namespace forebay {
namespace {

constexpr size_t kMostIdle = 16;
constexpr int kLongestWaitMillis = 60'000;

}  // namespace

// One connection, and the handles to use it. The multi handle is there because it can be woken.
class HttpClient::Lane {
 public:
  explicit Lane(const CurlLibrary& curl)
      : curl_(curl), multi_(curl_.multi_init()), transfer_(curl) {}
  ~Lane() { curl_.multi_cleanup(multi_); }
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;

  absl::StatusOr<HttpResponse> Do(const HttpServer& server, const HttpRequest& request,
                                  Cancellation* cancellation) {
    transfer_.Prepare(server, request);
    if (cancellation != nullptr) cancellation->Attach(this, Wake);
    curl_.multi_add_handle(multi_, transfer_.handle());
    const auto code = Perform(cancellation);
    if (cancellation != nullptr) cancellation->Detach(this);
    auto response = code.has_value() ? transfer_.Outcome(*code) : Cancelled();
    curl_.multi_remove_handle(multi_, transfer_.handle());
    return response;
  }

 private:
  static void Wake(void* lane) {
    const Lane& self = *static_cast<Lane*>(lane);
    self.curl_.multi_wakeup(self.multi_);
  }

  static absl::Status Cancelled() {
    return Error(absl::StatusCode::kCancelled, "HTTP_CANCELLED").Says("the call was cancelled");
  }

  // Nothing when it was cancelled.
  std::optional<CURLcode> Perform(Cancellation* cancellation) {
    int running = 1;
    while (true) {
      if (cancellation != nullptr && cancellation->cancelled()) return std::nullopt;
      if (curl_.multi_perform(multi_, &running) != CURLM_OK) return CURLE_FAILED_INIT;
      if (running == 0) break;
      curl_.multi_poll(multi_, nullptr, 0, kLongestWaitMillis, nullptr);
    }
    int left = 0;
    const CURLMsg* message = curl_.multi_info_read(multi_, &left);
    return message == nullptr ? CURLE_FAILED_INIT : message->data.result;
  }

  const CurlLibrary& curl_;
  CURLM* const multi_;
  Transfer transfer_;
};

HttpClient::HttpClient(const CurlLibrary& curl, HttpServer server)
    : curl_(curl), server_(std::move(server)) {}
HttpClient::~HttpClient() = default;

std::unique_ptr<HttpClient::Lane> HttpClient::TakeLane() {
  MutexLock lock(mutex_);
  if (idle_.empty()) return std::make_unique<Lane>(curl_);
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
