#include "server/http/connect_error.h"

#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "common/base/status.h"
#include "forebay/v1/errors.pb.h"

namespace forebay::server {
namespace {

struct Code {
  const char* name;
  int http;
};

// By absl::StatusCode.
constexpr Code kCodes[] = {
    {"ok", 200},
    {"canceled", 499},
    {"unknown", 500},
    {"invalid_argument", 400},
    {"deadline_exceeded", 504},
    {"not_found", 404},
    {"already_exists", 409},
    {"permission_denied", 403},
    {"resource_exhausted", 429},
    {"failed_precondition", 400},
    {"aborted", 409},
    {"out_of_range", 400},
    {"unimplemented", 501},
    {"internal", 500},
    {"unavailable", 503},
    {"data_loss", 500},
    {"unauthenticated", 401},
};

Code CodeOf(const absl::Status& status) {
  const auto code = static_cast<size_t>(status.code());
  return code < std::size(kCodes) ? kCodes[code] : kCodes[2];
}

nlohmann::json Packed(const ErrorDetail& detail) {
  v1::ErrorInfo info;
  info.set_reason(detail.reason);
  info.set_domain("forebay");
  info.mutable_metadata()->insert(detail.metadata.begin(), detail.metadata.end());
  std::string value(absl::Base64Escape(info.SerializeAsString()));
  value.erase(value.find_last_not_of('=') + 1);
  return {
      {"type", "google.rpc.ErrorInfo"},
      {"value", value},
      {"debug", {{"reason", detail.reason}, {"domain", "forebay"}, {"metadata", detail.metadata}}}};
}

}  // namespace

HttpResponse ConnectError(const absl::Status& status) {
  const Code code = CodeOf(status);
  nlohmann::json body = {{"code", code.name}, {"message", MessageOf(status)}};
  if (const auto detail = DetailOf(status))
    body["details"] = nlohmann::json::array({Packed(*detail)});
  HttpResponse response;
  response.status = code.http;
  response.content_type = "application/json";
  response.body = body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  return response;
}

}  // namespace forebay::server
