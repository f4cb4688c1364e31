#pragma once

// Deployments in the database. Blocking; on the caller's session.

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/uuid.h"
#include "forebay/v1/deployment.pb.h"
#include "server/api/messages.h"
#include "server/auth/caller.h"
#include "server/db/session.h"

namespace forebay::server {

struct DeploymentFilter {
  std::optional<std::string> flow;
  std::optional<std::string> name;
  std::optional<std::string> pool;
  std::optional<DeploymentName> after;
};
absl::StatusOr<std::vector<v1::Deployment>> ListDeployments(Session& session, const Uuid& team,
                                                            const DeploymentFilter& filter,
                                                            int limit);
// NOT_FOUND (DEPLOYMENT_NOT_FOUND, with the nearest name).
absl::StatusOr<v1::Deployment> ReadDeployment(Session& session, const Uuid& team,
                                              const DeploymentName& name);
absl::StatusOr<Uuid> FindDeployment(Session& session, const Uuid& team, const DeploymentName& name);

// Checks everything and inserts or replaces, in the caller's transaction. Answers the id, and true
// when it is new.
absl::StatusOr<std::pair<Uuid, bool>> ApplyDeployment(Session& session, const Caller& caller,
                                                      UuidSource& ids,
                                                      const v1::Deployment& deployment,
                                                      const DeploymentName& name);

// Its pool. Blocks or frees its waiting runs.
absl::StatusOr<Uuid> SetDeploymentPaused(Session& session, const Uuid& id, bool paused);
// What became of its runs. FAILED_PRECONDITION (DEPLOYMENT_HAS_RUNS) while runs wait and `force` is
// not given.
absl::StatusOr<v1::DeleteDeploymentResponse> DeleteDeployment(Session& session, const Uuid& id,
                                                              const DeploymentName& name,
                                                              bool force);

}  // namespace forebay::server
