#pragma once

// Accepts runs durably, in batches: when `done` answers OK, the run is committed (P1).
//
// A run goes straight to a parked worker (sync match) when its pool has demand here, nothing of the
// same or a higher priority waits, nothing is paused and no limit has to be counted; it is then
// inserted already granted, in the same commit. Else it is queued and its pool is hinted.
// Thread-safe.

#include <optional>
#include <string>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "server/claim/parking.h"
#include "server/claim/signals.h"
#include "server/db/batcher.h"
#include "server/runs/fresh_attempts.h"
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

class Submitter {
 public:
  Submitter(const std::string& url, Parking& parking, FreshAttempts& fresh, Signals& signals,
            Random& random);

  // On RESOURCE_EXHAUSTED all of them are answered so.
  void Submit(std::vector<SubmitRequest> requests);

 private:
  struct Item;
  struct Target;
  struct Batch;
  void Flush(Session& session, std::vector<SubmitRequest> requests);
  absl::Status WriteBatch(Session& session, Batch& batch);
  absl::Status ReadTargets(Session& session, Batch& batch);
  absl::Status TakeKeys(Session& session, Batch& batch);
  void Reserve(Batch& batch);
  absl::Status Insert(Session& session, Batch& batch);
  absl::Status ResolveDoubt(Session& session, Batch& batch, const absl::Status& doubt);
  void Unreserve(Batch& batch);
  void Remember(const Batch& batch);
  void Answer(Batch& batch);

  Parking& parking_;
  FreshAttempts& fresh_;
  Signals& signals_;
  Random& random_;
  Batcher<SubmitRequest> batcher_;
};

}  // namespace forebay::server
