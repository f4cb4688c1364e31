#include <nlohmann/json.hpp>

#include "cli/answer.h"
#include "cli/commands/commands.h"
#include "cli/names.h"
#include "cli/output/proto_json.h"
#include "cli/proto_values.h"
#include "cli/values.h"
#include "common/base/status.h"
#include "forebay/v1/flow_run.pb.h"
#include "forebay/v1/work_pool.pb.h"

namespace forebay::cli {
namespace {

// The list says only whether a run is held back; why is a question for each run, so the first ones
// are asked about and the rest are only marked.
constexpr int kMostAskedWhy = 20;
constexpr char kBlocked[] = "blocked";
constexpr char kToBeMade[] = "(to be made)";

// The server's sentence, or what the list said.
std::string WhyHeld(Client& client, const std::string& run, const std::string& known) {
  v1::GetFlowRunRequest request;
  request.set_name(run);
  const auto response = client.Call<v1::GetFlowRunResponse>(request);
  // It may have gone since the list was made; the list is a forecast, not a promise.
  if (!response.ok()) return known;
  const v1::FlowRun& found = response->flow_run();
  const std::string& why = found.has_waiting() ? found.waiting().message() : found.waiting_reason();
  return why.empty() ? known : why;
}

Row RowOf(Session& session, const v1::UpcomingRun& run, std::string why) {
  const std::string id = LastSegment(run.flow_run());
  return {id.empty() ? ScheduleShortName(run.schedule()) : id,
          {When(session, run.due_time()), DeploymentShortName(run.deployment()),
           LastSegment(run.work_queue()), LastSegment(run.schedule()), id.empty() ? kToBeMade : id,
           std::move(why)},
          ToJson(run)};
}

absl::Status Preview(Session& session, const Arguments& arguments) {
  v1::ListUpcomingRunsRequest request;
  request.set_work_pool(PoolResource(arguments.Get("name")));
  if (arguments.Has("within")) {
    ASSIGN_OR_RETURN(const auto within, ParseDurationOption(arguments.Get("within"), "--within"));
    SetDuration(within, *request.mutable_within());
  }
  if (arguments.Has("most")) {
    ASSIGN_OR_RETURN(const int32_t most, ParseCountOption(arguments.Get("most"), "--most", 1));
    request.set_most(most);
  }
  ASSIGN_OR_RETURN(Client * client, session.client());
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::ListUpcomingRunsResponse>(request));
  Listing listing;
  listing.columns = {{"DUE"}, {"DEPLOYMENT"}, {"QUEUE"}, {"SCHEDULE"}, {"RUN"}, {"WAITS FOR"}};
  int asked = 0;
  for (const v1::UpcomingRun& run : response.runs()) {
    // One that is due waits for something too, be it only for a worker.
    const bool held = run.blocked() || TimeOf(run.due_time()) <= session.clock().Now();
    const bool ask =
        IsForPeople(session) && held && !run.flow_run().empty() && asked < kMostAskedWhy;
    if (ask) ++asked;
    const std::string known = run.blocked() ? kBlocked : "";
    listing.rows.push_back(
        RowOf(session, run, ask ? WhyHeld(*client, run.flow_run(), known) : known));
  }
  RETURN_IF_ERROR(AnswerList(
      session, listing,
      fmt::format("Nothing is due in pool `{}` within {}.", arguments.Get("name"),
                  arguments.Has("within") ? arguments.Get("within") : std::string("1h"))));
  if (response.truncated())
    session.Say("There are more. Show more of them: --most N, or fewer: --within DURATION");
  return absl::OkStatus();
}

}  // namespace

std::vector<Command> WorkPoolPreviewCommands() {
  return {{"work-pool preview",
           "Show what will run, and what holds it back",
           {{"NAME", "Name of the work pool", true, {}, Completes::kPools}},
           {{"--within", "DURATION", "Due so soon (1h)"}, {"--most", "N", "At most so many (200)"}},
           false,
           false,
           Preview}};
}

}  // namespace forebay::cli
