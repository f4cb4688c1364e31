#pragma once

// Accepts runs durably, in batches: when `done` answers OK, the run is committed (P1).
//
// A run goes straight to a parked worker (sync match) when its pool has demand here, nothing of the
// same or a higher priority waits, nothing is paused and no limit has to be counted; it is then
// inserted already granted, in the same commit. Where such a slot is about to come free the run
// waits for it a moment (lobby.h). Else it is queued and its pool is hinted. Thread-safe.

#include <optional>
#include <string>
#include <thread>

#include "common/base/clock.h"
#include "common/base/sync.h"
#include "server/claim/parking.h"
#include "server/claim/shared_marks.h"
#include "server/claim/signals.h"
#include "server/db/batcher.h"
#include "server/runs/fresh_attempts.h"
#include "server/submit/lobby.h"
#include "server/submit/submit_request.h"
#include "server/submit/turnover.h"

namespace forebay::server {

class Submitter {
 public:
  // What is shared with those who claim and report.
  struct Shared {
    Parking& parking;
    SharedMarks& marks;
    Turnover& turnover;
    FreshAttempts& fresh;
    Signals& signals;
    const Clock& clock;
    Random& random;
  };
  Submitter(const std::string& url, const Shared& shared);
  // Writes what waits.
  ~Submitter();

  // On RESOURCE_EXHAUSTED all of them are answered so.
  void Submit(std::vector<SubmitRequest> requests);
  // A worker has parked: its slots may be what somebody waits for.
  void SlotsCame(const Uuid& pool);

 private:
  struct Item;
  struct Target;
  struct Batch;
  // Under the lock, so that no part of a call overtakes another. What found no room is to be
  // refused outside of it.
  struct Refused {
    absl::Status status;
    std::vector<SubmitRequest> requests;
  };
  Refused GoOn(std::vector<SubmitRequest> passed) REQUIRES(mutex_);
  static void Answer(Refused refused);
  void ExpireLoop();
  void Seat(Batch& batch);
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
  SharedMarks& marks_;
  Turnover& turnover_;
  FreshAttempts& fresh_;
  Signals& signals_;
  const Clock& clock_;
  Random& random_;
  Mutex mutex_;
  CondVar lobby_wake_;
  Lobby lobby_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread expiry_;
  Batcher<SubmitRequest> batcher_;
};

}  // namespace forebay::server
