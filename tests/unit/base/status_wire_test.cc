#include "common/rpc/status_wire.h"

#include "common/base/status.h"
#include "tests/support/catch.h"

namespace forebay {
namespace {

TEST_CASE("Code, sentence, reason and metadata survive the wire") {
  const absl::Status error = Error(absl::StatusCode::kFailedPrecondition, "POOL_HAS_RUNS")
                                 .Field("name", "my pool ü")
                                 .Next("forebay flow-run ls")
                                 .Says("pool '{}' still has {} runs", "my pool ü", 3);
  const absl::Status back = FromGrpc(ToGrpc(error));
  CHECK(back.code() == error.code());
  CHECK(MessageOf(back) == MessageOf(error));
  CHECK(ReasonOf(back) == "POOL_HAS_RUNS");
  CHECK(DetailOf(back)->metadata == DetailOf(error)->metadata);
}

TEST_CASE("OK is OK on both sides") {
  CHECK(ToGrpc(absl::OkStatus()).ok());
  CHECK(FromGrpc(grpc::Status::OK).ok());
}

TEST_CASE(
    "An error without a detail, or with one that is no message of ours, keeps code and sentence") {
  const absl::Status plain = FromGrpc(ToGrpc(absl::InternalError("plain")));
  CHECK(plain.code() == absl::StatusCode::kInternal);
  CHECK(MessageOf(plain) == "plain");
  const absl::Status garbage =
      FromGrpc(grpc::Status(grpc::StatusCode::ABORTED, "x", "\xFF\xFF not a message"));
  CHECK(garbage.code() == absl::StatusCode::kAborted);
  CHECK(ReasonOf(garbage).empty());
}

}  // namespace
}  // namespace forebay
