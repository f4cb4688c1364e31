#include <nlohmann/json.hpp>

#include "cli/answer.h"
#include "cli/commands/commands.h"
#include "cli/commands/flow_run_bulk.h"
#include "cli/names.h"
#include "cli/output/proto_json.h"
#include "cli/run_change.h"
#include "cli/run_view.h"
#include "common/base/status.h"

namespace forebay::cli {
namespace {

Card CardOf(Session& session, const v1::FlowRun& after) {
  // Nothing but the name is left of one that was deleted.
  if (after.has_state()) return RunCard(session, after);
  const std::string id = LastSegment(after.name());
  return {id, {{"ID", id}}, Json{{"name", after.name()}}};
}

// The error of a single run is the command's own, with its exit code.
absl::Status ChangeOne(Session& session, const std::string& run, const RunChange& change) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  const std::string name = RunResource(run);
  ASSIGN_OR_RETURN(const auto after, change.call(*client, name));
  return AnswerChange(session, change.sentence(name, after), CardOf(session, after));
}

// Each is answered on its own line; what went wrong with one does not stop the others.
absl::Status ChangeSeveral(Session& session, const std::vector<std::string>& runs,
                           const RunChange& change) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  Listing listing = RunListing();
  int64_t refused = 0;
  absl::Status fault;
  for (const std::string& run : runs) {
    const std::string name = RunResource(run);
    const auto after = change.call(*client, name);
    if (after.ok()) {
      session.Say(change.sentence(name, *after));
      listing.rows.push_back(RunRow(session, *after));
      continue;
    }
    fault = after.status();
    if (!IsRefusal(fault)) break;
    ++refused;
    session.Say(fmt::format("{}: {}", LastSegment(name), MessageOf(fault)));
  }
  if (!IsForPeople(session)) PrintListing(listing, session.output(), session.out());
  if (!fault.ok() && !IsRefusal(fault)) return fault;
  if (refused == 0) return absl::OkStatus();
  return SomeRefused(refused, static_cast<int64_t>(runs.size()), change.done);
}

absl::Status Change(Session& session, const Arguments& arguments, const RunChange& change) {
  const auto runs = arguments.All("run");
  const bool bulk = arguments.Has("filter") || arguments.Has("all");
  if (bulk == !runs.empty()) {
    return Error(absl::StatusCode::kInvalidArgument, "USAGE")
        .Field("arguments", runs.empty() ? "" : runs.front())
        .Next(fmt::format("forebay flow-run {} --help", change.verb))
        .Says("{}", bulk ? "give ids of runs or --filter, not both"
                         : "which runs? Give their ids, or --filter state=late,pool=my-pool");
  }
  if (bulk) return ChangeMatching(session, arguments, change);
  if (arguments.Has("dry-run")) {
    return Error(absl::StatusCode::kInvalidArgument, "USAGE")
        .Field("dry-run", "")
        .Next("forebay flow-run inspect " + runs.front())
        .Says("--dry-run belongs to --filter");
  }
  return runs.size() == 1 ? ChangeOne(session, runs.front(), change)
                          : ChangeSeveral(session, runs, change);
}

absl::Status Cancel(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const RunChange change, CancelChange(session, arguments));
  return Change(session, arguments, change);
}

absl::Status Retry(Session& session, const Arguments& arguments) {
  return Change(session, arguments, RetryChange(session));
}

absl::Status Pause(Session& session, const Arguments& arguments) {
  return Change(session, arguments, PauseChange());
}

absl::Status Resume(Session& session, const Arguments& arguments) {
  return Change(session, arguments, ResumeChange());
}

absl::Status Delete(Session& session, const Arguments& arguments) {
  return Change(session, arguments, DeleteChange());
}

}  // namespace

std::vector<Command> FlowRunChangeCommands() {
  const Positional runs = {"RUN", "Ids of the flow runs", false, {}, Completes::kRuns, true};
  const auto command = [&](const char* verb, const char* summary, std::vector<Option> own,
                           auto run) {
    const auto bulk = BulkOptions();
    own.insert(own.end(), bulk.begin(), bulk.end());
    return Command{
        std::string("flow-run ") + verb, summary, {runs}, std::move(own), false, false, run};
  };
  return {
      command("cancel", "Stop runs",
              {{"--grace", "DURATION", "Between SIGTERM and SIGKILL (the pool's)"}}, Cancel),
      command("retry", "Run again what failed, crashed or was cancelled, as new runs", {}, Retry),
      command("pause", "Hold runs back; one that runs is suspended: its infrastructure ends", {},
              Pause),
      command("resume", "Let paused runs go on; a suspended one starts afresh", {}, Resume),
      command("delete", "Delete finished runs with their logs", {}, Delete),
  };
}

}  // namespace forebay::cli
