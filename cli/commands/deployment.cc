#include "forebay/v1/deployment.pb.h"

#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/answer.h"
#include "cli/commands/commands.h"
#include "cli/commands/run_request.h"
#include "cli/deployment_fields.h"
#include "cli/deployment_view.h"
#include "cli/follow.h"
#include "cli/job_view.h"
#include "cli/names.h"
#include "cli/output/proto_json.h"
#include "cli/pages.h"
#include "cli/proto_values.h"
#include "cli/run_start.h"
#include "cli/run_tally.h"
#include "cli/schedule_view.h"
#include "cli/values.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "forebay/v1/concurrency_limit.pb.h"
#include "forebay/v1/flow_run.pb.h"
#include "forebay/v1/work_pool.pb.h"

namespace forebay::cli {
namespace {

absl::StatusOr<v1::CreateFlowRunRequest> RunRequest(Session& session, const Arguments& arguments) {
  v1::CreateFlowRunRequest request;
  request.set_deployment(arguments.Get("name"));
  ASSIGN_OR_RETURN(const Json parameters, ParametersOf(arguments));
  if (!parameters.empty()) request.set_parameters(DumpJson(parameters));
  ASSIGN_OR_RETURN(const Json variables, JobVariablesOf(arguments));
  if (!variables.empty()) request.set_job_variables(DumpJson(variables));
  for (const std::string& tag : arguments.All("tag")) request.add_tags(tag);
  // With a key of its own the call may be repeated at another server when one goes away in the
  // middle.
  request.set_idempotency_key(arguments.Has("idempotency-key")
                                  ? arguments.Get("idempotency-key")
                                  : UuidSource(session.clock(), SystemRandom()).Next().ToString());
  if (arguments.Has("in")) {
    ASSIGN_OR_RETURN(const auto delay, ParseDurationOption(arguments.Get("in"), "--in"));
    SetTime(session.clock().Now() + delay, *request.mutable_due_time());
  }
  return request;
}

// What the run would be; nothing is created.
absl::Status DryRun(Session& session, const v1::CreateFlowRunRequest& run) {
  v1::RenderJobRequest request;
  request.set_deployment(run.deployment());
  request.set_job_variables(run.job_variables());
  ASSIGN_OR_RETURN(Client * client, session.client());
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::RenderJobResponse>(request));
  return ShowJob(session,
                 fmt::format("A run of {} in pool {} ({}):", DeploymentShortName(run.deployment()),
                             LastSegment(response.work_pool()), response.type()),
                 response);
}

absl::Status Run(Session& session, const Arguments& arguments) {
  std::optional<absl::Duration> timeout;
  if (arguments.Has("timeout")) {
    ASSIGN_OR_RETURN(timeout, ParseDurationOption(arguments.Get("timeout"), "--timeout"));
  }
  ASSIGN_OR_RETURN(const auto request, RunRequest(session, arguments));
  if (arguments.Has("dry-run")) return DryRun(session, request);
  return StartRun(session, request, arguments.Has("watch"), timeout);
}

absl::Status List(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  v1::ListDeploymentsRequest request;
  if (arguments.Has("pool")) request.set_work_pool(PoolResource(arguments.Get("pool")));
  request.set_flow(arguments.Get("flow"));
  Listing listing = DeploymentListing();
  RETURN_IF_ERROR(ForEachItem<v1::ListDeploymentsResponse>(
      *client, request, kAllItems, [](const auto& page) { return page.deployments(); },
      [&](const v1::Deployment& deployment) {
        listing.rows.push_back(DeploymentRow(session, deployment));
      }));
  return AnswerList(session, listing, "No deployments. Make one: forebay deploy --help");
}

// "db-writes (2 of 3 in use)". The name alone stands where the limit cannot be read: the deployment
// is what was asked for.
std::vector<std::string> UseOfLimits(Client& client, const v1::Deployment& deployment) {
  std::vector<std::string> texts;
  for (const std::string& name : deployment.concurrency_limits()) {
    v1::GetConcurrencyLimitRequest request;
    request.set_name(name);
    const auto response = client.Call<v1::GetConcurrencyLimitResponse>(request);
    texts.push_back(LastSegment(name));
    if (!response.ok()) continue;
    const v1::ConcurrencyLimit& limit = response->concurrency_limit();
    texts.back() += fmt::format(" ({:.4g} of {} in use)", limit.slots_in_use(), limit.slots());
  }
  return texts;
}

absl::Status Inspect(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  v1::GetDeploymentRequest request;
  request.set_name(arguments.Get("name"));
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::GetDeploymentResponse>(request));
  const v1::Deployment& deployment = response.deployment();
  const bool for_people = IsForPeople(session);
  const auto limits = for_people ? UseOfLimits(*client, deployment) : std::vector<std::string>();
  RETURN_IF_ERROR(AnswerCard(session, DeploymentCard(session, deployment, limits)));
  if (!for_people || deployment.schedules().empty()) return absl::OkStatus();
  Listing schedules = ScheduleListing();
  for (const v1::Schedule& schedule : deployment.schedules())
    schedules.rows.push_back(ScheduleRow(session, schedule));
  session.out() << '\n';
  PrintListing(schedules, session.output(), session.out());
  return absl::OkStatus();
}

// The API replaces the retry policy whole; what the user did not mention is kept.
absl::Status ReadRetry(Client& client, v1::Deployment& deployment) {
  v1::GetDeploymentRequest request;
  request.set_name(deployment.name());
  ASSIGN_OR_RETURN(const auto response, client.Call<v1::GetDeploymentResponse>(request));
  *deployment.mutable_retry() = response.deployment().retry();
  return absl::OkStatus();
}

absl::Status Update(Session& session, const Arguments& arguments) {
  v1::UpdateDeploymentRequest request;
  v1::Deployment& deployment = *request.mutable_deployment();
  deployment.set_name(arguments.Get("name"));
  // Found wrong before anything is asked.
  v1::Deployment scratch;
  ASSIGN_OR_RETURN(const auto paths, SetDeploymentFields(arguments, scratch));
  if (paths.empty()) {
    return Error(absl::StatusCode::kInvalidArgument, "USAGE")
        .Field("arguments", "")
        .Next("forebay deployment update --help")
        .Says(
            "nothing to update: give --concurrency-limit, --retries, --timeout or another of its "
            "options; all else of a deployment is changed by forebay deploy");
  }
  ASSIGN_OR_RETURN(Client * client, session.client());
  if (ChangesRetry(arguments)) RETURN_IF_ERROR(ReadRetry(*client, deployment));
  RETURN_IF_ERROR(SetDeploymentFields(arguments, deployment).status());
  for (const std::string& path : paths) request.mutable_update_mask()->add_paths(path);
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::UpdateDeploymentResponse>(request));
  const Card card = DeploymentCard(session, response.deployment());
  return AnswerChange(session, fmt::format("Deployment `{}` updated.", card.name), card);
}

absl::Status Delete(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  v1::DeleteDeploymentRequest request;
  request.set_name(arguments.Get("name"));
  request.set_force(arguments.Has("force"));
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::DeleteDeploymentResponse>(request));
  std::string runs;
  if (response.cancelled_runs() > 0)
    runs += fmt::format(" Cancelled: {}.", RunCount(response.cancelled_runs()));
  if (response.running_runs() > 0)
    runs += fmt::format(" Still under way: {}.", RunCount(response.running_runs()));
  session.Say(fmt::format("Deployment `{}` deleted.{} What has finished stays readable.",
                          DeploymentShortName(request.name()), runs));
  return absl::OkStatus();
}

absl::Status Pause(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  v1::PauseDeploymentRequest request;
  request.set_name(arguments.Get("name"));
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::PauseDeploymentResponse>(request));
  const Card card = DeploymentCard(session, response.deployment());
  return AnswerChange(
      session,
      fmt::format("Deployment `{0}` paused: its runs wait. Resume: forebay deployment resume {0}",
                  card.name),
      card);
}

absl::Status Resume(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  v1::ResumeDeploymentRequest request;
  request.set_name(arguments.Get("name"));
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::ResumeDeploymentResponse>(request));
  const Card card = DeploymentCard(session, response.deployment());
  return AnswerChange(session, fmt::format("Deployment `{}` resumed.", card.name), card);
}

std::vector<Option> UpdateOptions() {
  std::vector<Option> options = DeploymentFieldOptions();
  for (Option& option : DeploymentClearOptions()) options.push_back(std::move(option));
  return options;
}

std::vector<Option> RunOptions() {
  std::vector<Option> options = ParameterOptions();
  const std::vector<Option> own = {
      {"-w,--watch", "", "Print states and log live; exit with the run's outcome"},
      {"--timeout", "DURATION", "With --watch: stop watching after this; the run goes on"},
      {"--in", "DURATION", "Start so much later"},
      {"--tag", "TAG", "For people", false, true},
      {"--idempotency-key", "KEY", "The same key within a day answers the same run"},
      {"--dry-run", "",
       "Show what would be launched, who set it and whether it is allowed; no run"},
  };
  options.insert(options.end(), own.begin(), own.end());
  return options;
}

}  // namespace

std::vector<Command> DeploymentCommands() {
  const Positional name = {"NAME", "flow/deployment", true, {}, Completes::kDeployments};
  return {
      {"deployment run", "Run a deployment now", {name}, RunOptions(), false, false, Run},
      {"deployment ls",
       "List deployments",
       {},
       {{"-p,--pool", "POOL", "Only of this pool", false, false, false, {}, Completes::kPools},
        {"--flow", "FLOW", "Only of this flow"}},
       false,
       false,
       List},
      {"deployment inspect", "Show one deployment", {name}, {}, false, false, Inspect},
      {"deployment update",
       "Change limits, retries, timeout and what describes it",
       {name},
       UpdateOptions(),
       false,
       false,
       Update},
      {"deployment pause", "Hold back its runs", {name}, {}, false, false, Pause},
      {"deployment resume",
       "Let its runs go on; lifts a quarantine",
       {name},
       {},
       false,
       false,
       Resume},
      {"deployment delete",
       "Delete a deployment",
       {name},
       {{"--force", "", "Cancel its waiting runs too"}},
       false,
       false,
       Delete},
  };
}

}  // namespace forebay::cli
