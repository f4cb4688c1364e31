#include "common/rpc/status_wire.h"

#include <string>

#include "common/base/status.h"
#include "forebay/v1/errors.pb.h"

namespace forebay {
namespace {

constexpr char kTypeUrl[] = "type.googleapis.com/google.rpc.ErrorInfo";

std::string EncodeDetails(const absl::Status& status, const ErrorDetail& detail) {
  v1::ErrorInfo info;
  info.set_reason(detail.reason);
  info.set_domain("forebay");
  info.mutable_metadata()->insert(detail.metadata.begin(), detail.metadata.end());
  v1::RpcStatus rpc;
  rpc.set_code(static_cast<int>(status.code()));
  rpc.set_message(std::string(MessageOf(status)));
  v1::PackedDetail* packed = rpc.add_details();
  packed->set_type_url(kTypeUrl);
  packed->set_value(info.SerializeAsString());
  return rpc.SerializeAsString();
}

}  // namespace

grpc::Status ToGrpc(const absl::Status& status) {
  if (status.ok()) return grpc::Status::OK;
  const auto code = static_cast<grpc::StatusCode>(status.code());
  const auto detail = DetailOf(status);
  return {code, std::string(MessageOf(status)),
          detail.has_value() ? EncodeDetails(status, *detail) : std::string()};
}

absl::Status FromGrpc(const grpc::Status& status) {
  if (status.ok()) return absl::OkStatus();
  absl::Status result(static_cast<absl::StatusCode>(status.error_code()), status.error_message());
  v1::RpcStatus rpc;
  if (!rpc.ParseFromString(status.error_details())) return result;
  for (const v1::PackedDetail& packed : rpc.details()) {
    v1::ErrorInfo info;
    if (packed.type_url() != kTypeUrl || !info.ParseFromString(packed.value())) continue;
    ErrorDetail detail;
    detail.reason = info.reason();
    detail.metadata.insert(info.metadata().begin(), info.metadata().end());
    AttachDetail(result, detail);
  }
  return result;
}

}  // namespace forebay
