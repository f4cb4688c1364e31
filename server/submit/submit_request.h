#pragma once

// A submission on its way to be written, and who waits for the answer.

#include <optional>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "server/submit/submission.h"

namespace forebay::server {

struct Accepted {
  Uuid run;
  // An earlier submission under the same idempotency key had made it.
  bool existed = false;
  // When it was asked for, and the run did not exist before.
  std::optional<v1::FlowRun> receipt;
};

struct SubmitRequest {
  Submission submission;
  bool wants_receipt = false;
  // NOT_FOUND (DEPLOYMENT_NOT_FOUND) when the deployment went away, ABORTED (DEPLOYMENT_CHANGED)
  // when the checks were made against an older revision, ALREADY_EXISTS (IDEMPOTENCY_KEY_REUSED),
  // UNAVAILABLE, RESOURCE_EXHAUSTED.
  absl::AnyInvocable<void(absl::StatusOr<Accepted>)> done;
};

}  // namespace forebay::server
