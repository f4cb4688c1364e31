#include "server/http/connect_protocol.h"

#include <google/protobuf/util/json_util.h>

#include "common/base/status.h"
#include "common/base/text.h"
#include "server/api/messages.h"
#include "server/http/connect_error.h"

namespace forebay::server {
namespace {

using google::protobuf::Message;

constexpr char kJson[] = "application/json";
constexpr char kBinary[] = "application/proto";
// As the protocol has it: at most ten digits.
constexpr int64_t kLongestTimeoutMs = 9'999'999'999;

absl::Status Parse(const std::string& body, bool json, Message& request) {
  if (!json)
    return request.ParseFromString(body) ? absl::OkStatus()
                                         : NotThatMessage(request, "malformed binary message");
  const auto parsed = google::protobuf::util::JsonStringToMessage(body, &request);
  if (parsed.ok()) return absl::OkStatus();
  return NotThatMessage(request, std::string(parsed.message()));
}

HttpResponse Print(const Message& message, bool json) {
  HttpResponse response;
  response.content_type = json ? kJson : kBinary;
  if (!json) {
    message.SerializeToString(&response.body);
    return response;
  }
  const auto printed = google::protobuf::util::MessageToJsonString(message, &response.body);
  return printed.ok() ? response : ConnectError(absl::InternalError("cannot print the answer"));
}

class ConnectCall final : public CallState {
 public:
  ConnectCall(std::shared_ptr<HttpExchange> exchange, const ServiceTable::Method& method, bool json)
      : exchange_(std::move(exchange)),
        json_(json),
        request_(method.request->New()),
        response_(method.response->New()) {}

  HttpExchange& exchange() { return *exchange_; }
  Message& request() { return *request_; }
  Message& response() { return *response_; }
  absl::Status ReadRequest() { return Parse(exchange_->request().body, json_, *request_); }

 private:
  void Finish(const absl::Status& status) override {
    exchange_->Answer(status.ok() ? Print(*response_, json_) : ConnectError(status));
  }

  const std::shared_ptr<HttpExchange> exchange_;
  const bool json_;
  const std::unique_ptr<Message> request_;
  const std::unique_ptr<Message> response_;
};

// The exchange must not keep itself alive.
void EndWith(const std::shared_ptr<ConnectCall>& call, std::optional<int64_t> timeout_ms) {
  std::weak_ptr<ConnectCall> weak = call;
  call->exchange().OnGone([weak] {
    if (const auto live = weak.lock()) live->Cancelled();
  });
  if (!timeout_ms.has_value()) return;
  call->exchange().OnLate(absl::Milliseconds(*timeout_ms), [weak] {
    const auto live = weak.lock();
    if (live == nullptr) return;
    live->FinishOnce(absl::DeadlineExceededError("the time that the caller gave is over"));
    live->Cancelled();
  });
}

std::string MediaType(const HttpRequest& request) {
  const std::string type = request.Header("content-type");
  return std::string(Trim(std::string_view(type).substr(0, type.find(';'))));
}

HttpResponse NotSpoken(int status, const char* header, const char* value, const char* why) {
  HttpResponse response =
      ConnectError(Error(absl::StatusCode::kUnimplemented, "NOT_SPOKEN").Says("{}", why));
  response.status = status;
  response.headers.emplace_back(header, value);
  return response;
}

std::optional<HttpResponse> Refused(const HttpRequest& request) {
  if (request.method != "POST")
    return NotSpoken(405, "Allow", "POST", "methods are called by POST");
  const std::string type = MediaType(request);
  if (type != kJson && type != kBinary) {
    return NotSpoken(415, "Accept-Post", "application/json, application/proto",
                     "the body has to be application/json or application/proto");
  }
  const std::string encoding = request.Header("content-encoding");
  if (!encoding.empty() && encoding != "identity")
    return NotSpoken(415, "Accept-Encoding", "identity", "requests are taken uncompressed");
  const std::string version = request.Header("connect-protocol-version");
  if (version.empty() || version == "1") return std::nullopt;
  return ConnectError(Error(absl::StatusCode::kInvalidArgument, "INVALID_HEADER")
                          .Field("connect-protocol-version", version)
                          .Says("Connect-Protocol-Version is '{}'; only 1 is spoken", version));
}

absl::StatusOr<std::optional<int64_t>> TimeoutOf(const HttpRequest& request) {
  const std::string text = request.Header("connect-timeout-ms");
  if (text.empty()) return std::nullopt;
  const auto timeout = ParseInt(text);
  if (timeout.has_value() && *timeout >= 0 && *timeout <= kLongestTimeoutMs) return timeout;
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_HEADER")
      .Field("connect-timeout-ms", text)
      .Says("Connect-Timeout-Ms is '{}'; it is a number of milliseconds of at most ten digits",
            text);
}

HttpResponse UnknownMethod(const std::string& path) {
  HttpResponse response = ConnectError(Error(absl::StatusCode::kUnimplemented, "UNKNOWN_METHOD")
                                           .Field("path", path)
                                           .Says("there is nothing at {}", path));
  response.status = 404;
  return response;
}

}  // namespace

void AnswerConnect(ServiceTable& table, const std::shared_ptr<HttpExchange>& exchange) {
  const HttpRequest& request = exchange->request();
  const ServiceTable::Method* method = table.Find(request.path);
  if (method == nullptr) return exchange->Answer(UnknownMethod(request.path));
  if (auto refused = Refused(request)) return exchange->Answer(*std::move(refused));
  const auto timeout = TimeoutOf(request);
  if (!timeout.ok()) return exchange->Answer(ConnectError(timeout.status()));
  const auto call = std::make_shared<ConnectCall>(exchange, *method, MediaType(request) == kJson);
  EndWith(call, *timeout);
  // Only who may call has a body looked into.
  table.Admit(request.Header("authorization"), *method, call, [call, method](const Caller& caller) {
    if (absl::Status read = call->ReadRequest(); !read.ok()) return call->FinishOnce(read);
    method->handle(caller, call, call->request(), call->response());
  });
}

}  // namespace forebay::server
