#include "common/base/status.h"

#include "absl/strings/cord.h"
#include "common/base/text.h"
#include "forebay/v1/errors.pb.h"

namespace forebay {
namespace {

constexpr char kTypeUrl[] = "type.googleapis.com/google.rpc.ErrorInfo";

}  // namespace

absl::Status Error::Build(std::string_view message) const {
  absl::Status status(code_, ToValidUtf8(message));
  AttachDetail(status, detail_);
  return status;
}

std::optional<ErrorDetail> DetailOf(const absl::Status& status) {
  auto payload = status.GetPayload(kTypeUrl);
  if (!payload.has_value()) return std::nullopt;
  v1::ErrorInfo info;
  if (!info.ParseFromString(std::string(*payload))) return std::nullopt;
  ErrorDetail detail;
  detail.reason = info.reason();
  detail.metadata.insert(info.metadata().begin(), info.metadata().end());
  return detail;
}

std::string ReasonOf(const absl::Status& status) {
  auto detail = DetailOf(status);
  return detail.has_value() ? detail->reason : std::string();
}

void AttachDetail(absl::Status& status, const ErrorDetail& detail) {
  v1::ErrorInfo info;
  info.set_reason(detail.reason);
  info.set_domain("forebay");
  // Values may be what somebody sent; the wire takes only what is UTF-8.
  for (const auto& [key, value] : detail.metadata) {
    (*info.mutable_metadata())[key] = ToValidUtf8(value);
  }
  status.SetPayload(kTypeUrl, absl::Cord(info.SerializeAsString()));
}

absl::Status Annotate(const absl::Status& status, std::string_view context) {
  if (status.ok()) return status;
  std::string text = fmt::format("{}: {}", context, MessageOf(status));
  absl::Status annotated(status.code(), text);
  if (auto detail = DetailOf(status)) AttachDetail(annotated, *detail);
  return annotated;
}

}  // namespace forebay
