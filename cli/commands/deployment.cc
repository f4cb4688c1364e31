#include "forebay/v1/deployment.pb.h"

#include <nlohmann/json.hpp>

#include "cli/answer.h"
#include "cli/commands/commands.h"
#include "cli/commands/run_request.h"
#include "cli/follow.h"
#include "cli/job_view.h"
#include "cli/names.h"
#include "cli/output/proto_json.h"
#include "cli/pages.h"
#include "cli/values.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "forebay/v1/flow_run.pb.h"
#include "forebay/v1/work_pool.pb.h"

namespace forebay::cli {
namespace {

std::string StatusText(const v1::Deployment& deployment) {
  if (!deployment.quarantine_reason().empty()) return "QUARANTINED";
  return deployment.paused() ? "PAUSED" : "READY";
}

std::string CommandText(const v1::Deployment& deployment) {
  return Join(std::vector<std::string>(deployment.command().begin(), deployment.command().end()),
              " ");
}

std::string TagsText(const v1::Deployment& deployment) {
  return Join(std::vector<std::string>(deployment.tags().begin(), deployment.tags().end()), ", ");
}

Card CardOf(Session& session, const v1::Deployment& deployment) {
  const std::string name = DeploymentShortName(deployment.name());
  return {name,
          {{"Name", name},
           {"Status", StatusText(deployment)},
           {"Quarantined", deployment.quarantine_reason()},
           {"Description", deployment.description()},
           {"Work pool", LastSegment(deployment.work_pool())},
           {"Work queue", LastSegment(deployment.work_queue())},
           {"Command", CommandText(deployment)},
           {"Parameters", deployment.parameters()},
           {"Job variables", deployment.job_variables()},
           {"Crash retries", std::to_string(deployment.crash_retries())},
           {"Version", deployment.version()},
           {"Tags", TagsText(deployment)},
           {"Revision", std::to_string(deployment.revision())},
           {"Created", When(session, deployment.create_time())},
           {"Updated", When(session, deployment.update_time())},
           {"Creator", deployment.creator()},
           {"UID", deployment.uid()}},
          ToJson(deployment)};
}

absl::StatusOr<v1::CreateFlowRunRequest> RunRequest(Session& session, const Arguments& arguments) {
  v1::CreateFlowRunRequest request;
  request.set_deployment(arguments.Get("name"));
  ASSIGN_OR_RETURN(const Json parameters, ParametersOf(arguments));
  if (!parameters.empty()) request.set_parameters(DumpJson(parameters));
  ASSIGN_OR_RETURN(const Json variables, JobVariablesOf(arguments));
  if (!variables.empty()) request.set_job_variables(DumpJson(variables));
  for (const std::string& tag : arguments.All("tag")) request.add_tags(tag);
  request.set_idempotency_key(arguments.Get("idempotency-key"));
  if (arguments.Has("in")) {
    ASSIGN_OR_RETURN(const auto delay, ParseDurationOption(arguments.Get("in"), "--in"));
    const int64_t due_ms = absl::ToUnixMillis(session.clock().Now() + delay);
    request.mutable_due_time()->set_seconds(due_ms / 1000);
    request.mutable_due_time()->set_nanos(static_cast<int32_t>(due_ms % 1000 * 1'000'000));
  }
  return request;
}

Card RunCard(const v1::FlowRun& run) {
  const std::string id = LastSegment(run.name());
  return {id,
          {{"ID", id}, {"Name", run.display_name()}, {"State", StateName(run.state())}},
          ToJson(run)};
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
  ASSIGN_OR_RETURN(Client * client, session.client());
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::CreateFlowRunResponse>(request));
  const v1::FlowRun& run = response.flow_run();
  const Card card = RunCard(run);
  const bool watch = arguments.Has("watch");
  RETURN_IF_ERROR(AnswerChange(
      session,
      fmt::format("Flow run `{}` ({}) {}.{}", run.display_name(), card.name,
                  response.existed() ? "existed already under this idempotency key" : "created",
                  watch ? "" : fmt::format(" Follow it: forebay flow-run watch {}", card.name)),
      card));
  return watch ? FollowRun(session, run.name(), timeout) : absl::OkStatus();
}

absl::Status List(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  v1::ListDeploymentsRequest request;
  if (arguments.Has("pool")) request.set_work_pool(PoolResource(arguments.Get("pool")));
  request.set_flow(arguments.Get("flow"));
  Listing listing;
  listing.columns = {{"NAME"},    {"POOL"},          {"QUEUE"},      {"STATUS", false, false, true},
                     {"UPDATED"}, {"VERSION", true}, {"TAGS", true}, {"COMMAND"}};
  RETURN_IF_ERROR(ForEachItem<v1::ListDeploymentsResponse>(
      *client, request, kAllItems, [](const auto& page) { return page.deployments(); },
      [&](const v1::Deployment& deployment) {
        const std::string name = DeploymentShortName(deployment.name());
        listing.rows.push_back(
            {name,
             {name, LastSegment(deployment.work_pool()), LastSegment(deployment.work_queue()),
              StatusText(deployment), When(session, deployment.update_time()), deployment.version(),
              TagsText(deployment), CommandText(deployment)},
             ToJson(deployment)});
      }));
  return AnswerList(session, listing, "No deployments. Make one: forebay deploy --help");
}

absl::Status Inspect(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  v1::GetDeploymentRequest request;
  request.set_name(arguments.Get("name"));
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::GetDeploymentResponse>(request));
  return AnswerCard(session, CardOf(session, response.deployment()));
}

absl::Status Delete(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  v1::DeleteDeploymentRequest request;
  request.set_name(arguments.Get("name"));
  request.set_force(arguments.Has("force"));
  RETURN_IF_ERROR(client->Call<v1::DeleteDeploymentResponse>(request).status());
  session.Say(fmt::format("Deployment `{}` deleted.", DeploymentShortName(request.name())));
  return absl::OkStatus();
}

absl::Status Pause(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  v1::PauseDeploymentRequest request;
  request.set_name(arguments.Get("name"));
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::PauseDeploymentResponse>(request));
  const Card card = CardOf(session, response.deployment());
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
  const Card card = CardOf(session, response.deployment());
  return AnswerChange(session, fmt::format("Deployment `{}` resumed.", card.name), card);
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
