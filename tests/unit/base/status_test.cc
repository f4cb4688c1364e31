#include "common/base/status.h"

#include "tests/support/catch.h"

namespace forebay {
namespace {

absl::Status SampleError() {
  return Error(absl::StatusCode::kNotFound, "WORK_POOL_NOT_FOUND")
      .Field("name", "alpah")
      .With("nearest", "alpha")
      .Next("forebay work-pool ls")
      .Says("work pool '{}' does not exist", "alpah");
}

TEST_CASE("An error has a code, a sentence for people and a detail for programs") {
  const absl::Status error = SampleError();
  CHECK(error.code() == absl::StatusCode::kNotFound);
  CHECK(MessageOf(error) == "work pool 'alpah' does not exist");
  const auto detail = DetailOf(error);
  REQUIRE(detail.has_value());
  CHECK(detail->reason == "WORK_POOL_NOT_FOUND");
  CHECK(detail->metadata == std::map<std::string, std::string>{{"field", "name"},
                                                               {"value", "alpah"},
                                                               {"nearest", "alpha"},
                                                               {"next", "forebay work-pool ls"}});
}

TEST_CASE("A status without a detail has no reason") {
  CHECK_FALSE(DetailOf(absl::InternalError("x")).has_value());
  CHECK(ReasonOf(absl::OkStatus()).empty());
}

TEST_CASE("A context is put before the sentence and changes nothing else") {
  const absl::Status error = Annotate(SampleError(), "flow/one");
  CHECK(MessageOf(error) == "flow/one: work pool 'alpah' does not exist");
  CHECK(error.code() == absl::StatusCode::kNotFound);
  CHECK(DetailOf(error)->metadata == DetailOf(SampleError())->metadata);
  CHECK(Annotate(absl::OkStatus(), "x").ok());
}

TEST_CASE("The macros hand errors on and values over") {
  const auto half = [](int value) -> absl::StatusOr<int> {
    if (value % 2 != 0) return SampleError();
    return value / 2;
  };
  const auto quarter = [&](int value) -> absl::StatusOr<int> {
    ASSIGN_OR_RETURN(const int once, half(value));
    RETURN_IF_ERROR(half(once).status());
    return half(once);
  };
  CHECK(*quarter(8) == 2);
  CHECK(ReasonOf(quarter(6).status()) == "WORK_POOL_NOT_FOUND");
  CHECK(ReasonOf(quarter(7).status()) == "WORK_POOL_NOT_FOUND");
}

TEST_CASE("What is not UTF-8 is replaced, so that an error can travel") {
  const auto status = Error(absl::StatusCode::kInvalidArgument, "BAD")
                          .Field("image", "a\xFF")
                          .Says("image '{}'", "a\xFF");
  CHECK(DetailOf(status)->metadata.at("value") == "a\xEF\xBF\xBD");
  CHECK(MessageOf(status) == "image 'a\xEF\xBF\xBD'");
}

}  // namespace
}  // namespace forebay
