#include "server/store/deployments.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/job_template/job_template.h"
#include "server/db/queries.h"
#include "server/runs/cancel.h"
#include "server/store/deployment_limits.h"
#include "server/store/deployment_rules.h"
#include "server/store/flow_program.h"
#include "server/store/schedules.h"
#include "server/store/snapshots.h"
#include "server/store/work_queues.h"

namespace forebay::server {
namespace {

constexpr int kMostCrashRetries = 100;

v1::Deployment ToDeployment(const Rows& rows, size_t row) {
  const auto text = [&](int column) { return std::string(rows.Text(row, column)); };
  v1::Deployment deployment;
  deployment.set_uid(text(0));
  deployment.set_team(text(1));
  deployment.set_flow(text(2));
  deployment.set_name("teams/" + text(1) + "/flows/" + text(2) + "/deployments/" + text(3));
  deployment.set_work_pool("workPools/" + text(4));
  deployment.set_work_queue(text(5));
  for (const std::string& argument : rows.TextArray(row, 6)) deployment.add_command(argument);
  deployment.set_parameters(text(7));
  deployment.set_job_variables(text(8));
  deployment.set_description(text(9));
  deployment.set_version(text(10));
  for (const std::string& tag : rows.TextArray(row, 11)) deployment.add_tags(tag);
  deployment.set_paused(rows.Bool(row, 12));
  deployment.set_crash_retries(static_cast<int>(rows.Int(row, 13)));
  deployment.set_revision(rows.Int(row, 14));
  ToProto(rows.Time(row, 15), *deployment.mutable_create_time());
  ToProto(rows.Time(row, 16), *deployment.mutable_update_time());
  deployment.set_creator(text(17));
  deployment.set_quarantine_reason(text(18));
  ReadRules(rows, row, 19, deployment);
  for (const std::string& name : rows.TextArray(row, 26)) deployment.add_concurrency_limits(name);
  deployment.set_held_attempts(static_cast<int>(rows.Int(row, 27)));
  deployment.set_entrypoint(text(28));
  deployment.set_pull_steps(text(29));
  deployment.set_parameter_schema(text(30));
  return deployment;
}

absl::Status DeploymentNotFound(Session& session, const Uuid& team, const DeploymentName& name) {
  std::vector<std::string> names;
  if (auto rows = session.Run(queries::kDeploymentNames, Args().Id(team)); rows.ok()) {
    for (size_t row = 0; row < rows->size(); ++row) names.emplace_back(rows->Text(row, 0));
  }
  const std::string wanted = name.flow + "/" + name.deployment;
  const std::string nearest = NearestName(wanted, names);
  return Error(absl::StatusCode::kNotFound, "DEPLOYMENT_NOT_FOUND")
      .Field("deployment", wanted)
      .With("nearest", nearest)
      .Next("forebay deployment ls")
      .Says("deployment '{}' does not exist{}", wanted,
            nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest));
}

struct Place {
  Uuid pool;
  Uuid queue;
};

// The pool and queue of the deployment, with its job variables checked against the pool's template.
absl::StatusOr<Place> CheckPlace(Session& session, const v1::Deployment& deployment,
                                 const Json& variables) {
  ASSIGN_OR_RETURN(const std::string pool, PoolNameOf(deployment.work_pool(), "work_pool"));
  const std::string queue = deployment.work_queue().empty() ? "default" : deployment.work_queue();
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kPoolAndQueue, Args().Text(pool).Text(queue)));
  if (rows.empty()) return PoolNotFound(session, pool);
  if (rows.IsNull(0, 1)) return ReadQueue(session, pool, queue).status();
  ASSIGN_OR_RETURN(const JobTemplate job_template, JobTemplate::Parse(rows.Text(0, 3)));
  RETURN_IF_ERROR(job_template.CheckJobVariables(variables, "job_variables"));
  return Place{rows.Id(0, 0), rows.Id(0, 1)};
}

absl::Status CheckFields(const v1::Deployment& deployment) {
  RETURN_IF_ERROR(CheckProgram(deployment));
  if (deployment.crash_retries() < 0 || deployment.crash_retries() > kMostCrashRetries) {
    return Error(absl::StatusCode::kInvalidArgument, "OUT_OF_RANGE")
        .Field("crash_retries", std::to_string(deployment.crash_retries()))
        .Says("crash_retries is {}; it must be between 0 and {}", deployment.crash_retries(),
              kMostCrashRetries);
  }
  return CheckRules(deployment);
}

DeploymentLimits LimitsOf(const v1::Deployment& deployment) {
  DeploymentLimits limits;
  if (deployment.has_concurrency_limit()) limits.own = deployment.concurrency_limit();
  limits.shared.assign(deployment.concurrency_limits().begin(),
                       deployment.concurrency_limits().end());
  std::sort(limits.shared.begin(), limits.shared.end());
  limits.shared.erase(std::unique(limits.shared.begin(), limits.shared.end()), limits.shared.end());
  return limits;
}

// What is written, checked.
struct Checked {
  const v1::Deployment& deployment;
  const DeploymentName& name;
  std::string parameters;
  std::string variables;
  Place place;
};

absl::StatusOr<std::pair<Uuid, bool>> Write(Session& session, const Caller& caller, UuidSource& ids,
                                            const Checked& checked) {
  const v1::Deployment& deployment = checked.deployment;
  ASSIGN_OR_RETURN(
      Rows flow,
      session.Run(queries::kEnsureFlow,
                  Args().Id(ids.Next()).Id(caller.team).Id(caller.user).Text(checked.name.flow)));
  ASSIGN_OR_RETURN(Rows known, session.Run(queries::kDeploymentOfFlow,
                                           Args().Id(flow.Id(0, 0)).Text(checked.name.deployment)));
  const Uuid id = known.empty() ? ids.Next() : known.Id(0, 0);
  const DeploymentLimits limits = LimitsOf(deployment);
  ASSIGN_OR_RETURN(const bool limits_change,
                   PrepareLimits(session, id, checked.place.pool, limits));
  const std::vector<std::string> command(deployment.command().begin(), deployment.command().end());
  const std::vector<std::string> tags(deployment.tags().begin(), deployment.tags().end());
  // Another call may make it at the same time: then the row keeps that one's id.
  const Uuid fresh = ids.Next();
  Args args;
  args.Id(fresh).Id(flow.Id(0, 0)).Text(checked.name.deployment);
  args.Id(checked.place.pool).Id(checked.place.queue).Array(TextArray(command));
  args.Text(checked.parameters).Text(checked.variables).Text(deployment.description());
  args.Text(deployment.version()).Array(TextArray(tags)).Int(deployment.crash_retries());
  args.Id(caller.team).Id(caller.user);
  AddRules(deployment, args);
  args.Text(deployment.entrypoint());
  args.Text(deployment.pull_steps().empty() ? "[]" : deployment.pull_steps());
  args.Text(deployment.parameter_schema());
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kApplyDeployment, args));
  const Uuid written = rows.Id(0, 0);
  if (limits_change || written == fresh)
    RETURN_IF_ERROR(ApplyLimits(session, caller.team, written, limits));
  return std::pair(written, rows.Bool(0, 1));
}

}  // namespace

absl::StatusOr<std::vector<v1::Deployment>> ListDeployments(Session& session, const Uuid& team,
                                                            const DeploymentFilter& filter,
                                                            int limit) {
  Args args;
  args.Id(team);
  for (const auto& text : {filter.flow, filter.name, filter.pool})
    text.has_value() ? args.Text(*text) : args.Null();
  filter.after.has_value() ? args.Text(filter.after->flow).Text(filter.after->deployment)
                           : args.Null().Null();
  args.Int(limit);
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kListDeployments, args));
  std::vector<v1::Deployment> deployments;
  for (size_t row = 0; row < rows.size(); ++row) deployments.push_back(ToDeployment(rows, row));
  return deployments;
}

absl::StatusOr<v1::Deployment> ReadDeployment(Session& session, const Uuid& team,
                                              const DeploymentName& name) {
  ASSIGN_OR_RETURN(auto found,
                   ListDeployments(session, team, {name.flow, name.deployment, {}, {}}, 1));
  if (found.empty()) return DeploymentNotFound(session, team, name);
  return found[0];
}

absl::StatusOr<Uuid> FindDeployment(Session& session, const Uuid& team,
                                    const DeploymentName& name) {
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kFindDeployment,
                                          Args().Id(team).Text(name.flow).Text(name.deployment)));
  if (rows.empty()) return DeploymentNotFound(session, team, name);
  return rows.Id(0, 0);
}

absl::StatusOr<std::pair<Uuid, bool>> ApplyDeployment(Session& session, const Caller& caller,
                                                      UuidSource& ids,
                                                      const v1::Deployment& deployment,
                                                      const DeploymentName& name) {
  RETURN_IF_ERROR(CheckFields(deployment));
  ASSIGN_OR_RETURN(const Json parameters, ParseJsonObject(deployment.parameters(), "parameters"));
  ASSIGN_OR_RETURN(const Json variables,
                   ParseJsonObject(deployment.job_variables(), "job_variables"));
  ASSIGN_OR_RETURN(const Place place, CheckPlace(session, deployment, variables));
  return Write(session, caller, ids,
               {deployment, name, DumpJson(parameters), DumpJson(variables), place});
}

absl::StatusOr<Uuid> SetDeploymentPaused(Session& session, const Uuid& id, bool paused) {
  Uuid pool;
  RETURN_IF_ERROR(InTransaction(session, [&]() -> absl::Status {
    ASSIGN_OR_RETURN(Rows rows,
                     session.Run(queries::kSetDeploymentPaused, Args().Id(id).Bool(paused)));
    if (!rows.empty()) pool = rows.Id(0, 0);
    return paused
               ? session.Run(queries::kBlockRuns, Args().Array(IdArray(std::span(&id, 1)))).status()
               : session.Run(queries::kUnblockRuns, Args().Id(id)).status();
  }));
  return pool;
}

absl::StatusOr<v1::DeleteDeploymentResponse> DeleteDeployment(Session& session, const Uuid& id,
                                                              const DeploymentName& name,
                                                              bool force) {
  v1::DeleteDeploymentResponse response;
  RETURN_IF_ERROR(InTransaction(session, [&]() -> absl::Status {
    ASSIGN_OR_RETURN(Rows waiting, session.Run(queries::kQueuedOfDeployment, Args().Id(id)));
    if (!waiting.empty() && !force) {
      return Error(absl::StatusCode::kFailedPrecondition, "DEPLOYMENT_HAS_RUNS")
          .Field("deployment", name.flow + "/" + name.deployment)
          .Next(fmt::format("forebay deployment delete {}/{} --force", name.flow, name.deployment))
          .Says("deployment '{}/{}' has {} waiting runs", name.flow, name.deployment,
                waiting.size());
    }
    std::vector<Uuid> runs;
    for (size_t row = 0; row < waiting.size(); ++row) runs.push_back(waiting.Id(row, 0));
    if (!runs.empty()) {
      RETURN_IF_ERROR(CancelQueued(session, runs, "cancelled because its deployment was deleted"));
    }
    RETURN_IF_ERROR(DeleteSchedules(session, id));
    ASSIGN_OR_RETURN(Rows held, session.Run(queries::kHeldOfDeployment, Args().Id(id)));
    response.set_cancelled_runs(static_cast<int>(runs.size()));
    response.set_running_runs(static_cast<int>(held.Int(0, 0)));
    return session.Run(queries::kDeleteDeployment, Args().Id(id)).status();
  }));
  return response;
}

}  // namespace forebay::server
