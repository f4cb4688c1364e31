#pragma once

// A request to run a deployment, checked and made ready to be written.

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/base/random.h"
#include "forebay/v1/flow_run.pb.h"
#include "server/auth/caller.h"
#include "server/store/snapshots.h"

namespace forebay::server {

// What is asked for, by a user or in a user's name.
struct RunOrder {
  v1::CreateFlowRunRequest request;
  // The finished run that is repeated: its parameters and tags are taken as they are, not laid over
  // the deployment's.
  std::optional<Uuid> retry_of = std::nullopt;
};

struct Submission {
  Uuid run;
  Uuid team;
  Uuid creator;
  std::string creator_name;
  std::shared_ptr<const DeploymentSnapshot> deployment;
  std::string display_name;
  std::string parameters;
  std::string job_variables;
  std::vector<std::string> tags;
  // Absent: at once, by the database's clock.
  std::optional<absl::Time> due;
  // The schedule that made it, the run that it repeats.
  std::optional<Uuid> schedule;
  std::optional<Uuid> retry_of;
  std::string idempotency_key;
  // SHA-256 over what the caller asked for; what a repeated key is compared by.
  std::string payload_hash;
};

// The checks that need no database: JSON, job variables against the pool's template and policy,
// sizes. INVALID_ARGUMENT naming field and value; as of CheckLaunchable (policy/launchable.h). Pure
// but for the ids and names drawn. Called on RPC threads.
absl::StatusOr<Submission> PrepareSubmission(const RunOrder& order, const Caller& caller,
                                             std::shared_ptr<const DeploymentSnapshot> deployment,
                                             UuidSource& ids, Random& random);

}  // namespace forebay::server
