#pragma once

// Limits of a deployment in the database: its own, and those that it shares with others. Blocking;
// in the caller's transaction.
//
// Grants and releases under way are waited for before anything changes, so that counting starts
// from what is held; grants that come later see the new limits.

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/uuid.h"
#include "server/db/session.h"

namespace forebay::server {

struct DeploymentLimits {
  std::optional<int> own;
  // Names of the team's concurrency limits.
  std::vector<std::string> shared;
  bool any() const { return own.has_value() || !shared.empty(); }
  bool operator==(const DeploymentLimits&) const = default;
};

// Call before the deployment's row is written: waits for the grants and releases under way, when
// the limits are to change; answers whether they are. `pool`: the one that it is in or goes to.
absl::StatusOr<bool> PrepareLimits(Session& session, const Uuid& deployment, const Uuid& pool,
                                   const DeploymentLimits& wanted);
// Call after it was written, if they are. NOT_FOUND (CONCURRENCY_LIMIT_NOT_FOUND, with the nearest
// name).
absl::Status ApplyLimits(Session& session, const Uuid& team, const Uuid& deployment,
                         const DeploymentLimits& wanted);

}  // namespace forebay::server
