#include "cli/commands/flow_run_bulk.h"

#include <nlohmann/json.hpp>
#include <ostream>
#include <sstream>

#include "cli/answer.h"
#include "cli/confirm.h"
#include "cli/names.h"
#include "cli/pages.h"
#include "cli/run_filter.h"
#include "cli/run_tally.h"
#include "cli/run_view.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace forebay::cli {
namespace {

// Sentences of refused runs that are shown; the summary counts all of them.
constexpr int64_t kMostRefusalsTold = 5;

std::string HelpOf(const RunChange& change) {
  return fmt::format("forebay flow-run {} --help", change.verb);
}

absl::StatusOr<v1::ListFlowRunsRequest> Matching(Session& session, const Arguments& arguments,
                                                 const RunChange& change) {
  ASSIGN_OR_RETURN(const auto conditions, RunConditionsOf(arguments));
  if (conditions.empty() && !arguments.Has("all")) {
    return Error(absl::StatusCode::kInvalidArgument, "USAGE")
        .Field("filter", arguments.Get("filter"))
        .Next(HelpOf(change))
        .Says("--filter without a condition matches every run; add --all if that is meant");
  }
  ASSIGN_OR_RETURN(auto request, RunRequestOf(conditions, session.clock().Now()));
  if (request.states().empty() && !request.late()) {
    for (const v1::StateType state : change.states) request.add_states(state);
  }
  return request;
}

absl::StatusOr<RunTally> Collect(Client& client, const v1::ListFlowRunsRequest& request) {
  RunTally tally;
  absl::Status fault;
  RETURN_IF_ERROR(ForEachItem<v1::ListFlowRunsResponse>(
      client, request, kAllItems, [](const auto& page) { return page.flow_runs(); },
      [&](const v1::FlowRun& run) {
        if (fault.ok()) fault = tally.Add(run);
      }));
  RETURN_IF_ERROR(fault);
  return tally;
}

Listing Samples(Session& session, const RunTally& tally) {
  Listing listing;
  listing.columns = {{"ID"}, {"NAME"}, {"DEPLOYMENT"}, {"STATE", false, false, true}, {"CREATED"}};
  for (const v1::FlowRun& run : tally.samples()) {
    listing.rows.push_back(
        {LastSegment(run.name()),
         {LastSegment(run.name()), run.display_name(), DeploymentShortName(run.deployment()),
          ShownState(run.state()), When(session, run.create_time())},
         {}});
  }
  return listing;
}

void PrintPreview(Session& session, const RunTally& tally, std::ostream& out, bool color) {
  OutputOptions options = session.output();
  options.format = OutputFormat::kTable;
  options.color_out = color;
  PrintListing(tally.Groups(), options, out);
  out << '\n';
  PrintListing(Samples(session, tally), options, out);
  const size_t rest = tally.ids().size() - tally.samples().size();
  if (rest > 0) out << fmt::format("… and {} more\n", rest);
}

// What --dry-run was asked for is data: on standard output, in the asked format.
void ShowDryRun(Session& session, const RunTally& tally, const RunChange& change) {
  if (session.output().format == OutputFormat::kName) {
    for (const Uuid& id : tally.ids()) session.out() << id.ToString() << '\n';
  } else if (IsForPeople(session)) {
    PrintPreview(session, tally, session.out(), session.output().color_out);
  } else {
    PrintListing(tally.Groups(), session.output(), session.out());
  }
  session.Say(fmt::format("{} would be {}; nothing was changed.",
                          RunCount(static_cast<int64_t>(tally.ids().size())), change.done));
}

absl::StatusOr<bool> Agreed(Session& session, const Arguments& arguments, const RunTally& tally,
                            const RunChange& change) {
  const auto count = RunCount(static_cast<int64_t>(tally.ids().size()));
  std::ostringstream preview;
  PrintPreview(session, tally, preview, session.output().color_err);
  session.Say(preview.str());
  if (arguments.Has("yes")) return true;
  if (!CanAsk()) {
    return Error(absl::StatusCode::kInvalidArgument, "USAGE")
        .Field("yes", "")
        .Next(HelpOf(change))
        .Says("{} would be {}; without a terminal to ask on, --yes is needed. Nothing was changed",
              count, change.done);
  }
  return Ask(fmt::format("{} will be {}. Go on? [y/N] ", count, change.done));
}

// Changes the runs; the status is that of the first fault that is no refusal.
absl::Status ChangeAll(Session& session, Client& client, const RunTally& runs,
                       const RunChange& change, ChangeTally& tally, int64_t& going_on) {
  for (const Uuid& id : runs.ids()) {
    const std::string name = RunResource(id.ToString());
    const auto after = change.call(client, name);
    if (after.ok()) {
      tally.Change();
      if (change.goes_on(*after)) ++going_on;
      // Of a retry the new run is what matters.
      if (after->name() != name) session.Say(change.sentence(name, *after));
      if (session.output().format == OutputFormat::kName)
        session.out() << LastSegment(after->name()) << '\n';
      continue;
    }
    if (!IsRefusal(after.status())) return Annotate(after.status(), id.ToString());
    tally.Refuse(ReasonOf(after.status()));
    if (tally.refused() <= kMostRefusalsTold)
      session.Say(fmt::format("{}: {}", id.ToString(), MessageOf(after.status())));
  }
  return absl::OkStatus();
}

void Summarize(Session& session, const RunTally& runs, const RunChange& change,
               const ChangeTally& tally, int64_t going_on) {
  if (going_on > 0)
    session.Say(fmt::format("Still being stopped by their workers: {}.", RunCount(going_on)));
  session.Say(tally.Text(change.done));
  if (IsForPeople(session) || session.output().format == OutputFormat::kName) return;
  const Json value = tally.Value(change.done);
  const Card card = {"",
                     {{"Matched", std::to_string(runs.ids().size())},
                      {"Changed", std::to_string(tally.changed())},
                      {"Refused", std::to_string(tally.refused())}},
                     value};
  PrintCard(card, session.output(), session.out());
}

}  // namespace

std::vector<Option> BulkOptions() {
  return {
      {"--filter", "CONDITIONS",
       "All runs with these: " + Join(RunFilterKeys(), ", ") + "; e.g. state=late,pool=my-pool",
       false, true},
      {"--all", "", "With no condition in --filter: really every run that this can change"},
      {"-y,--yes", "", "Do not ask"},
      {"--dry-run", "", "Only show what --filter matches"},
  };
}

bool IsRefusal(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kNotFound:
    case absl::StatusCode::kFailedPrecondition:
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kResourceExhausted:
      return true;
    default:
      return false;
  }
}

absl::Status SomeRefused(int64_t refused, int64_t of, std::string_view done) {
  return Error(absl::StatusCode::kUnknown, kRunsRefused)
      .With("value", std::to_string(refused))
      .Next("forebay flow-run ls")
      .Says("{} of {} could not be {}", refused, RunCount(of), done);
}

absl::Status ChangeMatching(Session& session, const Arguments& arguments, const RunChange& change) {
  ASSIGN_OR_RETURN(const auto request, Matching(session, arguments, change));
  ASSIGN_OR_RETURN(Client * client, session.client());
  ASSIGN_OR_RETURN(const RunTally runs, Collect(*client, request));
  if (arguments.Has("dry-run") && !runs.ids().empty()) {
    ShowDryRun(session, runs, change);
    return absl::OkStatus();
  }
  ChangeTally tally;
  int64_t going_on = 0;
  if (runs.ids().empty()) {
    session.Say(
        fmt::format("No flow run matches that could be {}; nothing was changed.", change.done));
    if (!IsForPeople(session)) Summarize(session, runs, change, tally, going_on);
    return absl::OkStatus();
  }
  ASSIGN_OR_RETURN(const bool agreed, Agreed(session, arguments, runs, change));
  if (!agreed) {
    session.Say("Nothing was changed.");
    return absl::OkStatus();
  }
  const auto status = ChangeAll(session, *client, runs, change, tally, going_on);
  Summarize(session, runs, change, tally, going_on);
  RETURN_IF_ERROR(status);
  if (tally.refused() == 0) return absl::OkStatus();
  return SomeRefused(tally.refused(), static_cast<int64_t>(runs.ids().size()), change.done);
}

}  // namespace forebay::cli
