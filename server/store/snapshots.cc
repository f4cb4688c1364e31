#include "server/store/snapshots.h"
#include "server/store/flow_program.h"

#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/base/text.h"
#include "server/db/queries.h"
#include "server/policy/launchable.h"

namespace forebay::server {
namespace {

PoolSnapshot ReadPool(const Rows& rows) {
  PoolSnapshot pool;
  pool.id = rows.Id(0, 0);
  pool.name = rows.Text(0, 1);
  pool.type = rows.Text(0, 2);
  pool.revision = rows.Int(0, 3);
  pool.base_job_template = rows.Text(0, 4);
  pool.lease_ttl = absl::Milliseconds(rows.Int(0, 5));
  pool.start_deadline = absl::Milliseconds(rows.Int(0, 6));
  pool.cancel_grace = absl::Milliseconds(rows.Int(0, 7));
  pool.paused = rows.Bool(0, 8);
  pool.deleted = rows.Bool(0, 9);
  pool.policy = rows.Text(0, 10);
  return pool;
}

// What an earlier version let pass and this one does not keeps the deployment's own runs from being
// created, and nobody else's from being dispatched.
void ReadRules(std::string_view job_template, std::string_view policy,
               DeploymentSnapshot& deployment) {
  auto parsed_template = JobTemplate::Parse(job_template);
  auto parsed_policy = Policy::Parse(deployment.pool_type, policy);
  deployment.unusable = parsed_template.ok() ? parsed_policy.status() : parsed_template.status();
  if (!deployment.unusable.ok()) return;
  deployment.job_template = std::make_shared<const JobTemplate>(*std::move(parsed_template));
  deployment.policy = std::make_shared<const Policy>(*std::move(parsed_policy));
  deployment.launchable = CheckLaunchable(deployment, Json::object());
}

void ReadParameterSchema(std::string_view text, DeploymentSnapshot& deployment) {
  if (text.empty()) return;
  auto schema = ParseParameterSchema(text);
  if (schema.ok()) deployment.parameter_schema = *std::move(schema);
}

DeploymentSnapshot ReadDeployment(const Rows& rows, size_t row) {
  DeploymentSnapshot deployment;
  deployment.id = rows.Id(row, 0);
  // The pool's template belongs to the snapshot: its revision counts too.
  deployment.revision = rows.Int(row, 1);
  deployment.team = rows.Id(row, 2);
  deployment.pool = rows.Id(row, 3);
  deployment.queue = rows.Id(row, 4);
  deployment.flow = rows.Id(row, 5);
  deployment.team_name = rows.Text(row, 6);
  deployment.flow_name = rows.Text(row, 7);
  deployment.name = rows.Text(row, 8);
  deployment.command = rows.TextArray(row, 9);
  deployment.parameters = rows.Text(row, 10);
  deployment.job_variables = rows.Text(row, 11);
  deployment.queue_name = rows.Text(row, 13);
  deployment.pool_name = rows.Text(row, 14);
  deployment.deleted = rows.Bool(row, 15);
  deployment.tags = rows.TextArray(row, 16);
  deployment.pool_type = rows.Text(row, 17);
  deployment.entrypoint = rows.Text(row, 19);
  deployment.pull_steps = rows.Text(row, 20);
  deployment.version = rows.Text(row, 22);
  if (!deployment.entrypoint.empty() && deployment.command.empty())
    deployment.command = EngineCommand();
  ReadParameterSchema(rows.Text(row, 21), deployment);
  ReadRules(rows.Text(row, 12), rows.Text(row, 18), deployment);
  return deployment;
}

std::string NameKey(const Uuid& team, const std::string& name) { return team.ToString() + name; }

}  // namespace

absl::Status PoolNotFound(Session& session, const std::string& name) {
  std::vector<std::string> names;
  if (auto rows = session.Run(queries::kPoolNames, {}); rows.ok()) {
    for (size_t row = 0; row < rows->size(); ++row) names.emplace_back(rows->Text(row, 0));
  }
  const std::string nearest = NearestName(name, names);
  return Error(absl::StatusCode::kNotFound, "WORK_POOL_NOT_FOUND")
      .Field("work_pool", name)
      .With("nearest", nearest)
      .Next(fmt::format("forebay work-pool create --type process {}", name))
      .Says("work pool '{}' does not exist{}", name,
            nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest));
}

absl::StatusOr<std::shared_ptr<const PoolSnapshot>> Snapshots::PoolByName(Session& session,
                                                                          const std::string& name) {
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kReadPoolSnapshot, Args().Null().Text(name)));
  if (rows.empty()) return PoolNotFound(session, name);
  auto pool = std::make_shared<const PoolSnapshot>(ReadPool(rows));
  MutexLock lock(mutex_);
  pools_[pool->id] = pool;
  return pool;
}

std::shared_ptr<const PoolSnapshot> Snapshots::RememberedPool(const Uuid& id) const {
  MutexLock lock(mutex_);
  const auto it = pools_.find(id);
  return it == pools_.end() ? nullptr : it->second;
}

absl::StatusOr<std::shared_ptr<const PoolSnapshot>> Snapshots::Pool(Session& session,
                                                                    const Uuid& id) {
  if (auto pool = RememberedPool(id)) return pool;
  return RefreshPool(session, id);
}

absl::StatusOr<std::shared_ptr<const PoolSnapshot>> Snapshots::RefreshPool(Session& session,
                                                                           const Uuid& id) {
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kReadPoolSnapshot, Args().Id(id).Null()));
  if (rows.empty()) {
    return Error(absl::StatusCode::kNotFound, "WORK_POOL_NOT_FOUND")
        .Says("this work pool does not exist any more");
  }
  auto pool = std::make_shared<const PoolSnapshot>(ReadPool(rows));
  MutexLock lock(mutex_);
  pools_[id] = pool;
  return pool;
}

void Snapshots::ForgetDeploymentsOf(const Uuid& pool) {
  MutexLock lock(mutex_);
  absl::erase_if(deployments_, [&](const auto& entry) { return entry.second->pool == pool; });
}

absl::Status Snapshots::LoadDeployments(Session& session, std::span<const Uuid> ids) {
  ASSIGN_OR_RETURN(Rows rows,
                   session.Run(queries::kReadDeploymentSnapshot, Args().Array(IdArray(ids))));
  for (size_t row = 0; row < rows.size(); ++row) {
    auto snapshot = std::make_shared<const DeploymentSnapshot>(ReadDeployment(rows, row));
    MutexLock lock(mutex_);
    deployments_[snapshot->id] = snapshot;
  }
  return absl::OkStatus();
}

absl::StatusOr<Snapshots::Deployments> Snapshots::DeploymentsAt(Session& session,
                                                                std::span<const Wanted> wanted) {
  std::vector<Uuid> missing;
  for (const Wanted& want : wanted) {
    const auto known = RememberedDeployment(want.id);
    if (known == nullptr || known->revision < want.revision) missing.push_back(want.id);
  }
  if (!missing.empty()) RETURN_IF_ERROR(LoadDeployments(session, missing));
  Deployments found;
  for (const Wanted& want : wanted) {
    if (auto known = RememberedDeployment(want.id)) found[want.id] = std::move(known);
  }
  return found;
}

std::shared_ptr<const DeploymentSnapshot> Snapshots::RememberedDeployment(const Uuid& id) const {
  MutexLock lock(mutex_);
  const auto it = deployments_.find(id);
  return it == deployments_.end() ? nullptr : it->second;
}

absl::StatusOr<std::shared_ptr<const DeploymentSnapshot>> Snapshots::RefreshDeployment(
    Session& session, const Uuid& id) {
  RETURN_IF_ERROR(LoadDeployments(session, std::span(&id, 1)));
  auto known = RememberedDeployment(id);
  if (known == nullptr) {
    return Error(absl::StatusCode::kNotFound, "DEPLOYMENT_NOT_FOUND")
        .Says("this deployment does not exist any more");
  }
  return known;
}

std::optional<Uuid> Snapshots::RememberedName(const Uuid& team, const std::string& name) const {
  MutexLock lock(mutex_);
  const auto it = names_.find(NameKey(team, name));
  if (it == names_.end()) return std::nullopt;
  return it->second;
}

void Snapshots::RememberName(const Uuid& team, const std::string& name, const Uuid& id) {
  MutexLock lock(mutex_);
  names_[NameKey(team, name)] = id;
}

void Snapshots::ForgetName(const Uuid& team, const std::string& name) {
  MutexLock lock(mutex_);
  names_.erase(NameKey(team, name));
}

}  // namespace forebay::server
