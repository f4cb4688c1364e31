#include "cli/exit_code.h"

#include "cli/failure.h"
#include "common/base/status.h"
#include "tests/support/catch.h"

namespace forebay::cli {
namespace {

absl::Status Made(absl::StatusCode code, std::string_view reason) {
  return Error(code, reason).Says("text");
}

TEST_CASE("Exit codes are those that the documentation promises") {
  CHECK(ExitCodeOf(absl::OkStatus()) == 0);
  CHECK(ExitCodeOf(absl::InternalError("x")) == 1);
  CHECK(ExitCodeOf(Made(absl::StatusCode::kResourceExhausted, "QUEUE_FULL")) == 1);
  CHECK(ExitCodeOf(Made(absl::StatusCode::kInvalidArgument, "USAGE")) == 2);
  CHECK(ExitCodeOf(Made(absl::StatusCode::kNotFound, "WORK_POOL_NOT_FOUND")) == 3);
  CHECK(ExitCodeOf(absl::UnauthenticatedError("x")) == 4);
  CHECK(ExitCodeOf(absl::PermissionDeniedError("x")) == 4);
  CHECK(ExitCodeOf(Made(absl::StatusCode::kAlreadyExists, "WORK_POOL_EXISTS")) == 5);
  CHECK(ExitCodeOf(Made(absl::StatusCode::kFailedPrecondition, "POOL_HAS_RUNS")) == 5);
  CHECK(ExitCodeOf(Made(absl::StatusCode::kUnknown, kRunFailed)) == 6);
  CHECK(ExitCodeOf(Made(absl::StatusCode::kUnknown, kRunCrashed)) == 7);
  CHECK(ExitCodeOf(Made(absl::StatusCode::kDeadlineExceeded, kWaitTimedOut)) == 8);
  CHECK(ExitCodeOf(Made(absl::StatusCode::kUnavailable, kServerUnreachable)) == 9);
  CHECK(kExitInterrupted == 130);
}

TEST_CASE("The exit code of a program that we ran is passed on") {
  const auto status = Error(absl::StatusCode::kInternal, kChildEnded)
                          .With("exit_code", "42")
                          .Says("the server ended");
  CHECK(ExitCodeOf(status) == 42);
}

TEST_CASE("A failure says what, why and the next command") {
  const auto status = Error(absl::StatusCode::kNotFound, "WORK_POOL_NOT_FOUND")
                          .Next("forebay work-pool ls")
                          .Says("work pool `x` does not exist");
  CHECK(DescribeFailure(status, false) ==
        "error: work pool `x` does not exist\nnext: forebay work-pool ls\n");
  CHECK(DescribeFailure(absl::InternalError("broken"), false) == "error: broken\n");
  CHECK(DescribeFailure(status, true).starts_with("\033[31merror:\033[0m "));
}

}  // namespace
}  // namespace forebay::cli
