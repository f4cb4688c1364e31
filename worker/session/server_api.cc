#include "worker/session/server_api.h"

#include "common/base/status.h"

namespace forebay::worker {

Verdict VerdictOn(const absl::Status& error) {
  switch (error.code()) {
    case absl::StatusCode::kNotFound:
      return ReasonOf(error) == "WORKER_UNKNOWN" ? Verdict::kUnknownWorker : Verdict::kFatal;
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
    case absl::StatusCode::kUnimplemented:
      return Verdict::kFatal;
    default:
      return Verdict::kRetry;
  }
}

Backoff RetryPauses(Random& random) {
  return Backoff(absl::Milliseconds(100), absl::Seconds(2), random);
}

}  // namespace forebay::worker
