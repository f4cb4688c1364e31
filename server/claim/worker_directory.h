#pragma once

// What this server knows of registered workers, so that a poll need not ask the database.
// Thread-safe.

#include <memory>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "common/base/sync.h"
#include "common/base/uuid.h"
#include "server/auth/caller.h"
#include "server/db/session.h"

namespace forebay::server {

struct KnownWorker {
  Uuid id;
  Uuid pool;
  Uuid credential;
  // Empty = all queues of the pool.
  std::vector<Uuid> queues;
  bool draining = false;
};

class WorkerDirectory {
 public:
  // NOT_FOUND (WORKER_UNKNOWN) when it never was or its lease is over for good.
  absl::StatusOr<std::shared_ptr<const KnownWorker>> Load(Session& session, const Uuid& id);
  std::shared_ptr<const KnownWorker> Remembered(const Uuid& id) const;
  void Forget(const Uuid& id);

 private:
  mutable Mutex mutex_;
  absl::flat_hash_map<Uuid, std::shared_ptr<const KnownWorker>> workers_ GUARDED_BY(mutex_);
};

// Whether the caller's key may speak for the worker: same pool, same credential. PERMISSION_DENIED
// (NOT_YOUR_WORKER).
absl::Status CheckSpeaksFor(const Caller& caller, const KnownWorker& worker);
absl::Status WorkerUnknown(const Uuid& id);

}  // namespace forebay::server
