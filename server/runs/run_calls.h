#pragma once

// What a run says for itself: pass the gate, report its outcome, beat. Blocking; on the caller's
// session. The caller's credential is compared with the attempt's row in the same transaction.

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/random.h"
#include "forebay/v1/run_protocol.pb.h"
#include "server/claim/signals.h"
#include "server/db/session.h"
#include "server/store/snapshots.h"

namespace forebay::server {

// How often a run gives a sign of life.
inline constexpr absl::Duration kRunBeat = absl::Seconds(10);

// Exchanges a ticket for a run token; of any number of exchanges of one ticket exactly one wins.
// FAILED_PRECONDITION (TICKET_USED, CANCEL_REQUESTED), UNAUTHENTICATED (TICKET_INVALID).
absl::StatusOr<v1::StartAttemptResponse> StartAttempt(Session& session, Snapshots& snapshots,
                                                      Signals& signals, Random& random,
                                                      const Uuid& run,
                                                      const std::string& ticket_hash);

// COMPLETED or FAILED, by user code itself; it counts once the infrastructure has ended, and at
// once for a run that was begun by hand. FAILED_PRECONDITION (RUN_FINISHED), UNAUTHENTICATED
// (RUN_TOKEN_INVALID).
absl::StatusOr<v1::ReportStateResponse> ReportRunState(Session& session, Signals& signals,
                                                       const Uuid& run,
                                                       const std::string& token_hash,
                                                       const v1::ReportStateRequest& request);

// Whether a stop is wanted. UNAUTHENTICATED (RUN_TOKEN_INVALID) when the attempt is not current any
// more.
absl::StatusOr<bool> BeatOfRun(Session& session, const Uuid& run, const std::string& token_hash);

}  // namespace forebay::server
