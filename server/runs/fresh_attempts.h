#pragma once

// First attempts that this server granted, as it knows them: a report about one is decided from
// here, and the statement that writes the decision checks that the row is still so (runs.sql,
// as_remembered). A look at the row under a lock before each change would cost a tenth of what a
// run costs the database.
//
// Remembered is only what a plain run is: its first attempt, without limits, that does not pass its
// gate by itself. Nothing depends on an entry being there or being right. Thread-safe.

#include <deque>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "common/base/sync.h"
#include "server/runs/held_attempt.h"

namespace forebay::server {

struct FreshAttempt {
  Uuid run;
  Uuid pool;
  Uuid queue;
  Uuid deployment;
  Uuid worker;
  std::string ticket_hash;
  Phase phase = Phase::kGranted;
};

class FreshAttempts {
 public:
  // Beyond `most` the oldest are forgotten.
  explicit FreshAttempts(size_t most) : most_(most) {}

  // Committed grants, before a worker hears of them.
  void Granted(std::vector<FreshAttempt> attempts);
  // Those of the runs that are known, `remembered`.
  std::vector<HeldAttempt> Of(const std::vector<Uuid>& runs) const;
  // Committed changes.
  void Changed(const std::vector<AttemptChange>& changes);
  void Forget(const std::vector<Uuid>& runs);

 private:
  void Trim() REQUIRES(mutex_);

  const size_t most_;
  mutable Mutex mutex_;
  absl::flat_hash_map<Uuid, FreshAttempt> attempts_ GUARDED_BY(mutex_);
  // In the order of their grants; also some that are over.
  std::deque<Uuid> order_ GUARDED_BY(mutex_);
};

}  // namespace forebay::server
