#include "forebay/v1/flow_run.pb.h"

#include <nlohmann/json.hpp>

#include <ostream>

#include "cli/answer.h"
#include "cli/commands/commands.h"
#include "cli/follow.h"
#include "cli/names.h"
#include "cli/output/proto_json.h"
#include "cli/pages.h"
#include "cli/values.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace forebay::cli {
namespace {

constexpr int64_t kDefaultListed = 50;

// From start to end, or until now.
std::string LastedText(Session& session, const v1::FlowRun& run) {
  if (!run.has_start_time()) return "";
  const absl::Time end = run.has_end_time() ? TimeOf(run.end_time()) : session.clock().Now();
  return DurationText(std::max(end - TimeOf(run.start_time()), absl::ZeroDuration()));
}

std::string TagsText(const v1::FlowRun& run) {
  return Join(std::vector<std::string>(run.tags().begin(), run.tags().end()), ", ");
}

// Times that lie in the past say nothing new about when a run was due.
std::string DueText(Session& session, const v1::FlowRun& run) {
  return TimeOf(run.due_time()) > session.clock().Now() ? When(session, run.due_time()) : "";
}

Card CardOf(Session& session, const v1::FlowRun& run) {
  const std::string id = LastSegment(run.name());
  return {id,
          {{"ID", id},
           {"Name", run.display_name()},
           {"State", StateName(run.state())},
           {"Message", run.state().message()},
           {"Waiting", run.waiting_reason()},
           {"Deployment", DeploymentShortName(run.deployment())},
           {"Work pool", LastSegment(run.work_pool())},
           {"Work queue", LastSegment(run.work_queue())},
           {"Parameters", run.parameters()},
           {"Job variables", run.job_variables()},
           {"Tags", TagsText(run)},
           {"Created", When(session, run.create_time())},
           {"Due", DueText(session, run)},
           {"Started", When(session, run.start_time())},
           {"Ended", When(session, run.end_time())},
           {"Duration", LastedText(session, run)},
           {"Exit code", run.has_exit_code() ? std::to_string(run.exit_code()) : ""},
           {"Creator", run.creator()}},
          ToJson(run)};
}

absl::StatusOr<v1::FlowRun> GetRun(Client& client, const std::string& name) {
  v1::GetFlowRunRequest request;
  request.set_name(RunResource(name));
  request.set_view(v1::RUN_VIEW_FULL);
  ASSIGN_OR_RETURN(auto response, client.Call<v1::GetFlowRunResponse>(request));
  return std::move(*response.mutable_flow_run());
}

std::string UsageText(const v1::Usage& usage) {
  if (usage.max_rss_bytes() == 0) return "";
  const auto cpu = absl::Microseconds(usage.cpu_user_micros() + usage.cpu_system_micros());
  return fmt::format("{} CPU, {} MiB", DurationText(cpu), usage.max_rss_bytes() >> 20);
}

Listing AttemptsOf(Session& session, const v1::FlowRun& run) {
  Listing listing;
  listing.columns = {{"ATTEMPT", false, true},
                     {"OUTCOME", false, false, true},
                     {"WORKER"},
                     {"GRANTED"},
                     {"STARTED"},
                     {"ENDED"},
                     {"EXIT", false, true},
                     {"USED"},
                     {"INFRASTRUCTURE"}};
  for (const v1::Attempt& attempt : run.attempts()) {
    listing.rows.push_back({std::to_string(attempt.number()),
                            {std::to_string(attempt.number()),
                             attempt.has_outcome() ? StateName(attempt.outcome()) : "live",
                             attempt.worker_name(), When(session, attempt.grant_time()),
                             When(session, attempt.start_time()), When(session, attempt.end_time()),
                             attempt.has_exit_code() ? std::to_string(attempt.exit_code()) : "",
                             UsageText(attempt.usage()), attempt.infrastructure_id()},
                            {}});
  }
  return listing;
}

Listing StatesOf(Session& session, const v1::FlowRun& run) {
  Listing listing;
  listing.columns = {
      {"WHEN"}, {"STATE", false, false, true}, {"NAME"}, {"ATTEMPT", false, true}, {"MESSAGE"}};
  for (const v1::State& state : run.states()) {
    listing.rows.push_back(
        {"",
         {When(session, state.time()), StateName(state), state.name(),
          state.attempt() == 0 ? "" : std::to_string(state.attempt()), state.message()},
         {}});
  }
  return listing;
}

absl::Status List(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  v1::ListFlowRunsRequest request;
  for (const std::string& state : arguments.All("state")) {
    v1::StateType type;
    std::string name = "STATE_TYPE_";
    for (const char c : state) name += static_cast<char>(c - 'a' + 'A');
    if (v1::StateType_Parse(name, &type)) request.add_states(type);
  }
  request.set_deployment(arguments.Get("deployment"));
  if (arguments.Has("pool")) request.set_work_pool(PoolResource(arguments.Get("pool")));
  Listing listing;
  listing.columns = {
      {"ID"},       {"NAME"},       {"DEPLOYMENT"},  {"STATE", false, false, true}, {"CREATED"},
      {"DURATION"}, {"POOL", true}, {"QUEUE", true}, {"ATTEMPTS", true, true},      {"TAGS", true},
      {"MESSAGE"}};
  RETURN_IF_ERROR(ForEachItem<v1::ListFlowRunsResponse>(
      *client, request, arguments.Number("limit").value_or(kDefaultListed),
      [](const auto& page) { return page.flow_runs(); },
      [&](const v1::FlowRun& run) {
        const std::string id = LastSegment(run.name());
        listing.rows.push_back(
            {id,
             {id, run.display_name(), DeploymentShortName(run.deployment()), StateName(run.state()),
              When(session, run.create_time()), LastedText(session, run),
              LastSegment(run.work_pool()), LastSegment(run.work_queue()),
              std::to_string(run.attempt_count()), TagsText(run), run.state().message()},
             ToJson(run)});
      }));
  return AnswerList(session, listing,
                    "No flow runs. Start one: forebay deployment run FLOW/DEPLOYMENT");
}

absl::Status Inspect(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  ASSIGN_OR_RETURN(const auto run, GetRun(*client, arguments.Get("run")));
  RETURN_IF_ERROR(AnswerCard(session, CardOf(session, run)));
  if (session.output().format != OutputFormat::kTable &&
      session.output().format != OutputFormat::kWide) {
    return absl::OkStatus();
  }
  for (const Listing& listing : {AttemptsOf(session, run), StatesOf(session, run)}) {
    if (listing.rows.empty()) continue;
    session.out() << '\n';
    PrintListing(listing, session.output(), session.out());
  }
  return absl::OkStatus();
}

absl::Status Logs(Session& session, const Arguments& arguments) {
  LogOptions options;
  options.follow = arguments.Has("follow");
  options.timestamps = arguments.Has("timestamps");
  options.offset = std::max<int64_t>(arguments.Number("offset").value_or(0), 0);
  return PrintLog(session, RunResource(arguments.Get("run")), options);
}

absl::Status Watch(Session& session, const Arguments& arguments) {
  std::optional<absl::Duration> timeout;
  if (arguments.Has("timeout")) {
    ASSIGN_OR_RETURN(timeout, ParseDurationOption(arguments.Get("timeout"), "--timeout"));
  }
  return FollowRun(session, RunResource(arguments.Get("run")), timeout);
}

absl::Status Cancel(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  v1::CancelFlowRunRequest request;
  request.set_name(RunResource(arguments.Get("run")));
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::CancelFlowRunResponse>(request));
  const v1::FlowRun& run = response.flow_run();
  const Card card = CardOf(session, run);
  const bool over = IsOver(run.state().type());
  return AnswerChange(
      session,
      over ? fmt::format("Flow run `{}` cancelled.", run.display_name())
           : fmt::format(
                 "Flow run `{}` is being stopped by its worker. Follow: forebay flow-run watch {}",
                 run.display_name(), card.name),
      card);
}

absl::Status Delete(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  v1::DeleteFlowRunRequest request;
  request.set_name(RunResource(arguments.Get("run")));
  RETURN_IF_ERROR(client->Call<v1::DeleteFlowRunResponse>(request).status());
  session.Say(fmt::format("Flow run {} deleted with its log.", LastSegment(request.name())));
  return absl::OkStatus();
}

}  // namespace

std::vector<Command> FlowRunCommands() {
  const Positional run = {"RUN", "Id of the flow run", true, {}, Completes::kRuns};
  const std::vector<Option> list_options = {
      {"--state",
       "STATE",
       "Only in this state",
       false,
       true,
       false,
       {"scheduled", "pending", "running", "paused", "cancelling", "completed", "failed",
        "cancelled", "crashed"}},
      {"--deployment",
       "NAME",
       "Only of this deployment",
       false,
       false,
       false,
       {},
       Completes::kDeployments},
      {"-p,--pool", "POOL", "Only of this pool", false, false, false, {}, Completes::kPools},
      {"--limit", "N", "At most so many (50)", false, false, true},
  };
  const std::vector<Option> log_options = {
      {"-f,--follow", "", "Wait for more until the run is over"},
      {"--offset", "N", "Begin at this line", false, false, true},
      {"--timestamps", "", "Begin each line with its time"},
  };
  return {
      {"flow-run ls", "List runs, newest first", {}, list_options, false, false, List},
      {"flow-run inspect",
       "Show one run with attempts and states",
       {run},
       {},
       false,
       false,
       Inspect},
      {"flow-run logs", "Print a run's log", {run}, log_options, false, false, Logs},
      {"flow-run watch",
       "Print states and log live; exit with the run's outcome",
       {run},
       {{"--timeout", "DURATION", "Stop watching after this; the run goes on"}},
       false,
       false,
       Watch},
      {"flow-run cancel", "Stop a run", {run}, {}, false, false, Cancel},
      {"flow-run delete", "Delete a finished run with its log", {run}, {}, false, false, Delete},
  };
}

}  // namespace forebay::cli
