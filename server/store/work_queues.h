#pragma once

// Work queues in the database. Blocking; on the caller's session.

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/uuid.h"
#include "forebay/v1/work_queue.pb.h"
#include "server/auth/caller.h"
#include "server/db/session.h"

namespace forebay::server {

struct StoredQueue {
  Uuid id;
  Uuid pool;
  v1::WorkQueue queue;
};

// Where a page of queues goes on: behind this one.
struct QueueKey {
  int priority = 0;
  std::string name;
};
// In order of priority, then name.
absl::StatusOr<std::vector<StoredQueue>> ListQueues(Session& session, const std::string& pool,
                                                    const std::optional<std::string>& only,
                                                    const std::optional<QueueKey>& after,
                                                    int limit);
// NOT_FOUND (WORK_POOL_NOT_FOUND, WORK_QUEUE_NOT_FOUND with the nearest).
absl::StatusOr<StoredQueue> ReadQueue(Session& session, const std::string& pool,
                                      const std::string& name);

absl::Status InsertQueue(Session& session, const Caller& caller, const Uuid& id, const Uuid& pool,
                         const v1::WorkQueue& queue, const std::string& name);
absl::Status UpdateQueue(Session& session, const StoredQueue& stored, const v1::WorkQueue& queue,
                         const std::vector<std::string>& mask);
// FAILED_PRECONDITION (QUEUE_HAS_RUNS, QUEUE_HAS_DEPLOYMENTS).
absl::Status DeleteQueue(Session& session, const StoredQueue& stored);

absl::Status CheckQueue(const v1::WorkQueue& queue);

}  // namespace forebay::server
