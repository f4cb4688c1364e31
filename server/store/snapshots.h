#pragma once

// What dispatch reads of pools and deployments all the time, kept in memory.
//
// A snapshot carries its revision; whoever must be exact compares it with the row in its own
// transaction and calls Refresh when it differs. Thread-safe.

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/sync.h"
#include "common/base/uuid.h"
#include "common/job_template/job_template.h"
#include "common/json_schema/json_schema.h"
#include "common/policy/policy.h"
#include "server/db/session.h"

namespace forebay::server {

struct PoolSnapshot {
  Uuid id;
  std::string name;
  std::string type;
  int64_t revision = 0;
  std::string base_job_template;
  std::string policy;
  absl::Duration lease_ttl;
  absl::Duration start_deadline;
  absl::Duration cancel_grace;
  bool paused = false;
  bool deleted = false;
};

struct DeploymentSnapshot {
  Uuid id;
  int64_t revision = 0;
  Uuid team;
  Uuid pool;
  Uuid queue;
  Uuid flow;
  std::string team_name;
  std::string flow_name;
  std::string name;
  // Of a plain command, or of the program that runs the entrypoint.
  std::vector<std::string> command;
  std::string entrypoint;
  std::string pull_steps;
  std::string version;
  std::string parameters;
  std::string job_variables;
  std::string queue_name;
  std::string pool_name;
  std::vector<std::string> tags;
  bool deleted = false;
  std::string pool_type;
  // Why template or policy cannot be read; the two below are null then.
  absl::Status unusable;
  // The pool's template and policy, to check runs against.
  std::shared_ptr<const JobTemplate> job_template;
  std::shared_ptr<const Policy> policy;
  // Of the parameters; absent: they are not checked.
  std::optional<JsonSchema> parameter_schema;
  // Of a run that sets no job variables of its own.
  absl::Status launchable;
};

class Snapshots {
 public:
  // NOT_FOUND (WORK_POOL_NOT_FOUND, with the nearest name).
  absl::StatusOr<std::shared_ptr<const PoolSnapshot>> PoolByName(Session& session,
                                                                 const std::string& name);
  absl::StatusOr<std::shared_ptr<const PoolSnapshot>> Pool(Session& session, const Uuid& id);
  // What is in memory, or nothing.
  std::shared_ptr<const PoolSnapshot> RememberedPool(const Uuid& id) const;
  // Reads a pool anew, e.g. after its revision changed.
  absl::StatusOr<std::shared_ptr<const PoolSnapshot>> RefreshPool(Session& session, const Uuid& id);

  // Its template or settings changed: forgets the deployments of the pool too, which carry the
  // template.
  void ForgetDeploymentsOf(const Uuid& pool);

  // Deployments by id at a revision; those in memory with it are taken from there. The result lacks
  // unknown ids.
  struct Wanted {
    Uuid id;
    int64_t revision;
  };
  using Deployments = absl::flat_hash_map<Uuid, std::shared_ptr<const DeploymentSnapshot>>;
  absl::StatusOr<Deployments> DeploymentsAt(Session& session, std::span<const Wanted> wanted);
  std::shared_ptr<const DeploymentSnapshot> RememberedDeployment(const Uuid& id) const;
  absl::StatusOr<std::shared_ptr<const DeploymentSnapshot>> RefreshDeployment(Session& session,
                                                                              const Uuid& id);

  // Deployment id behind a team's short name, as remembered. A name can move to another row when a
  // deployment is deleted and made anew, so a submission under a remembered name is checked against
  // the row.
  std::optional<Uuid> RememberedName(const Uuid& team, const std::string& name) const;
  void RememberName(const Uuid& team, const std::string& name, const Uuid& id);
  void ForgetName(const Uuid& team, const std::string& name);

 private:
  absl::Status LoadDeployments(Session& session, std::span<const Uuid> ids);

  mutable Mutex mutex_;
  absl::flat_hash_map<Uuid, std::shared_ptr<const PoolSnapshot>> pools_ GUARDED_BY(mutex_);
  Deployments deployments_ GUARDED_BY(mutex_);
  absl::flat_hash_map<std::string, Uuid> names_ GUARDED_BY(mutex_);
};

// The error for a pool name that does not exist, naming the nearest one.
absl::Status PoolNotFound(Session& session, const std::string& name);

}  // namespace forebay::server
