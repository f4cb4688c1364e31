#pragma once

// New runs as rows, written in one statement for a whole batch. Blocking; in the caller's
// transaction.

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/claim/parking.h"
#include "server/submit/receipt.h"
#include "server/submit/submission.h"

namespace forebay::server {

struct NewRun {
  const Submission* submission = nullptr;
  // Its deployment is paused or quarantined, or has limits of its own.
  bool blocked = false;
  bool gated = false;
  // Granted in the same statement, if that worker's lease lives.
  std::optional<Reservation> reservation;
  std::string ticket_hash;
  int64_t start_deadline_ms = 0;
};

struct WrittenRun {
  Written written;
  // Present when it was granted.
  std::optional<absl::Time> granted_until;
};

// As many as runs, in their order.
absl::StatusOr<std::vector<WrittenRun>> InsertRuns(Session& session,
                                                   const std::vector<NewRun>& runs);

}  // namespace forebay::server
