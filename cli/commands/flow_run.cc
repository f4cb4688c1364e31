#include "forebay/v1/flow_run.pb.h"

#include <ostream>

#include "cli/answer.h"
#include "cli/commands/commands.h"
#include "cli/follow.h"
#include "cli/names.h"
#include "cli/pages.h"
#include "cli/run_filter.h"
#include "cli/run_view.h"
#include "cli/values.h"
#include "common/base/status.h"

namespace forebay::cli {
namespace {

constexpr int64_t kDefaultListed = 50;

absl::StatusOr<v1::FlowRun> GetRun(Client& client, const std::string& name) {
  v1::GetFlowRunRequest request;
  request.set_name(RunResource(name));
  request.set_view(v1::RUN_VIEW_FULL);
  ASSIGN_OR_RETURN(auto response, client.Call<v1::GetFlowRunResponse>(request));
  return std::move(*response.mutable_flow_run());
}

absl::Status List(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const auto conditions, RunConditionsOf(arguments));
  ASSIGN_OR_RETURN(const auto request, RunRequestOf(conditions, session.clock().Now()));
  ASSIGN_OR_RETURN(Client * client, session.client());
  Listing listing = RunListing();
  RETURN_IF_ERROR(ForEachItem<v1::ListFlowRunsResponse>(
      *client, request, arguments.Number("limit").value_or(kDefaultListed),
      [](const auto& page) { return page.flow_runs(); },
      [&](const v1::FlowRun& run) { listing.rows.push_back(RunRow(session, run)); }));
  return AnswerList(session, listing,
                    conditions.empty()
                        ? "No flow runs. Start one: forebay deployment run FLOW/DEPLOYMENT"
                        : "No flow run matches.");
}

absl::Status Inspect(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  ASSIGN_OR_RETURN(const auto run, GetRun(*client, arguments.Get("run")));
  RETURN_IF_ERROR(AnswerCard(session, RunCard(session, run)));
  if (!IsForPeople(session)) return absl::OkStatus();
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

}  // namespace

std::vector<Command> FlowRunCommands() {
  const Positional run = {"RUN", "Id of the flow run", true, {}, Completes::kRuns};
  std::vector<Option> list_options = RunFilterOptions();
  list_options.push_back({"--limit", "N", "At most so many (50)", false, false, true});
  const std::vector<Option> log_options = {
      {"-f,--follow", "", "Wait for more until the run is over"},
      {"--offset", "N", "Begin at this line", false, false, true},
      {"--timestamps", "", "Begin each line with its time"},
  };
  return {
      {"flow-run ls", "List runs, newest first", {}, list_options, false, false, List},
      {"flow-run inspect",
       "Show one run: attempts, states, and why it waits",
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
  };
}

}  // namespace forebay::cli
