#pragma once

// Work pools in the database: reading, checking and changing. Blocking; on the caller's session.

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/uuid.h"
#include "forebay/v1/work_pool.pb.h"
#include "server/auth/caller.h"
#include "server/db/session.h"

namespace forebay::server {

// Pools by name after `after`; `only` one of them.
absl::StatusOr<std::vector<v1::WorkPool>> ListPools(Session& session,
                                                    const std::optional<std::string>& only,
                                                    const std::optional<std::string>& after,
                                                    int limit);
// NOT_FOUND (WORK_POOL_NOT_FOUND).
absl::StatusOr<v1::WorkPool> ReadPool(Session& session, const std::string& name);

struct LockedPool {
  Uuid id;
  std::string type;
};
// Locks the pool's row for the transaction.
absl::StatusOr<LockedPool> LockPool(Session& session, const std::string& name);

// Inserts the pool and its queue `default`; `pool` is checked and complete.
absl::Status InsertPool(Session& session, const Caller& caller, UuidSource& ids,
                        const v1::WorkPool& pool, const std::string& name);
// Applies the fields of the mask. A changed limit starts or stops the pool's counter.
absl::Status UpdatePool(Session& session, const Uuid& id, const v1::WorkPool& pool,
                        const std::vector<std::string>& mask);
// FAILED_PRECONDITION (POOL_HAS_RUNS, POOL_HAS_DEPLOYMENTS).
absl::Status DeletePool(Session& session, const Uuid& id, const std::string& name, bool force);

// A scope ("pool", "queue") has a counter exactly while it has a limit. In the caller's
// transaction, which owns the limits of `pool`.
absl::Status SetCounter(Session& session, const Uuid& pool, std::string_view kind, const Uuid& id,
                        bool limited);

// The checks that need no database: limits, timeouts. INVALID_ARGUMENT naming the field.
absl::Status CheckPool(const v1::WorkPool& pool);

}  // namespace forebay::server
