#include "common/base/exit_code.h"

#include <cstdio>

#include "common/base/status.h"

namespace forebay {

ExitCode ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kOk:
      return kExitOk;
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kOutOfRange:
      return kExitUsage;
    case absl::StatusCode::kNotFound:
      return kExitNotFound;
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
      return kExitDenied;
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kAborted:
      return kExitConflict;
    default:
      return kExitError;
  }
}

void PrintFailure(const absl::Status& status) {
  fmt::print(stderr, "error: {}\n", MessageOf(status));
  const auto detail = DetailOf(status);
  if (!detail.has_value()) return;
  if (const auto next = detail->metadata.find("next"); next != detail->metadata.end())
    fmt::print(stderr, "next: {}\n", next->second);
}

}  // namespace forebay
