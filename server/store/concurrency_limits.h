#pragma once

// Limits that a team's deployments share, in the database. Blocking; on the caller's session.

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/uuid.h"
#include "forebay/v1/concurrency_limit.pb.h"
#include "server/api/update_mask.h"
#include "server/auth/caller.h"
#include "server/db/session.h"

namespace forebay::server {

// INVALID_ARGUMENT (OUT_OF_RANGE).
absl::Status CheckLimit(const v1::ConcurrencyLimit& limit);

// By name; without holders and waiting runs.
absl::StatusOr<std::vector<v1::ConcurrencyLimit>> ListLimits(
    Session& session, const Uuid& team, const std::optional<std::string>& only,
    const std::optional<std::string>& after, int limit);
// With holders and waiting runs. NOT_FOUND (CONCURRENCY_LIMIT_NOT_FOUND, with the nearest name).
absl::StatusOr<v1::ConcurrencyLimit> ReadLimit(Session& session, const Uuid& team,
                                               const std::string& name);
absl::StatusOr<Uuid> FindLimit(Session& session, const Uuid& team, const std::string& name);

// ALREADY_EXISTS (CONCURRENCY_LIMIT_EXISTS).
absl::Status InsertLimit(Session& session, const Caller& caller, const Uuid& id,
                         const v1::ConcurrencyLimit& limit, const std::string& name);
// FAILED_PRECONDITION (DECAY_FIXED): slots that come back with attempts cannot begin to decay.
absl::Status UpdateLimit(Session& session, const Uuid& id, const v1::ConcurrencyLimit& limit,
                         const UpdateMask& mask);
// FAILED_PRECONDITION (CONCURRENCY_LIMIT_IN_USE).
absl::Status DeleteLimit(Session& session, const Uuid& id, const std::string& name);
// Pools whose runs may be able to start when the limit changes.
absl::StatusOr<std::vector<Uuid>> PoolsOfLimit(Session& session, const Uuid& id);

}  // namespace forebay::server
