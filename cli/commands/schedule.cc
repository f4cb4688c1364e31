#include "forebay/v1/schedule.pb.h"

#include <algorithm>
#include <ostream>

#include "cli/answer.h"
#include "cli/commands/commands.h"
#include "cli/names.h"
#include "cli/pages.h"
#include "cli/schedule_flags.h"
#include "cli/schedule_view.h"
#include "common/base/status.h"

namespace forebay::cli {
namespace {

Here HereOf(Session& session) { return {session.clock().Now(), absl::LocalTimeZone()}; }

// The server would say only that the name is malformed; here the mistake is nearly always that
// deployment and slug were mixed up.
absl::StatusOr<std::string> ScheduleName(const Arguments& arguments) {
  const std::string name = arguments.Get("name");
  const auto slashes = std::count(name.begin(), name.end(), '/');
  if (slashes == 2 || name.starts_with("teams/")) return name;
  return Error(absl::StatusCode::kInvalidArgument, "USAGE")
      .Field("name", name)
      .Next("forebay schedule ls")
      .Says("a schedule is named flow/deployment/slug, not `{}`", name);
}

absl::Status Create(Session& session, const Arguments& arguments) {
  v1::CreateScheduleRequest request;
  request.set_parent(arguments.Get("deployment"));
  v1::Schedule& schedule = *request.mutable_schedule();
  schedule.set_slug(arguments.Get("slug"));
  RETURN_IF_ERROR(SetScheduleFields(arguments, HereOf(session), schedule).status());
  if (schedule.rule_case() == v1::Schedule::RULE_NOT_SET) {
    return Error(absl::StatusCode::kInvalidArgument, "USAGE")
        .Field("rule", "")
        .Next("forebay schedule create --help")
        .Says("a schedule needs a rule: --cron, --interval or --rrule");
  }
  ASSIGN_OR_RETURN(Client * client, session.client());
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::CreateScheduleResponse>(request));
  const v1::Schedule& made = response.schedule();
  const Card card = ScheduleCard(session, made);
  const std::string next =
      made.next_fires().empty()
          ? ""
          : fmt::format(" First run: {}.", WhenLocal(session, made.next_fires(0)));
  return AnswerChange(session,
                      fmt::format("Schedule `{0}` created.{1} See it: forebay schedule inspect {0}",
                                  card.name, next),
                      card);
}

absl::Status List(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  v1::ListSchedulesRequest request;
  request.set_parent(arguments.Get("deployment"));
  if (arguments.Has("pool")) request.set_work_pool(PoolResource(arguments.Get("pool")));
  Listing listing = ScheduleListing();
  RETURN_IF_ERROR(ForEachItem<v1::ListSchedulesResponse>(
      *client, request, kAllItems, [](const auto& page) { return page.schedules(); },
      [&](const v1::Schedule& schedule) {
        listing.rows.push_back(ScheduleRow(session, schedule));
      }));
  return AnswerList(
      session, listing,
      "No schedules. Make one: forebay schedule create FLOW/DEPLOYMENT --cron \"0 1 * "
      "* *\"");
}

absl::Status Inspect(Session& session, const Arguments& arguments) {
  v1::GetScheduleRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), ScheduleName(arguments));
  ASSIGN_OR_RETURN(Client * client, session.client());
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::GetScheduleResponse>(request));
  RETURN_IF_ERROR(AnswerCard(session, ScheduleCard(session, response.schedule())));
  const Listing fires = NextFires(session, response.schedule());
  if (!IsForPeople(session) || fires.rows.empty()) return absl::OkStatus();
  session.out() << '\n';
  PrintListing(fires, session.output(), session.out());
  return absl::OkStatus();
}

absl::Status Update(Session& session, const Arguments& arguments) {
  v1::UpdateScheduleRequest request;
  v1::Schedule& schedule = *request.mutable_schedule();
  ASSIGN_OR_RETURN(*schedule.mutable_name(), ScheduleName(arguments));
  ASSIGN_OR_RETURN(const auto paths, SetScheduleFields(arguments, HereOf(session), schedule));
  if (paths.empty()) {
    return Error(absl::StatusCode::kInvalidArgument, "USAGE")
        .Field("arguments", "")
        .Next("forebay schedule update --help")
        .Says("nothing to update: give a rule, --timezone, --param or another of its options");
  }
  for (const std::string& path : paths) request.mutable_update_mask()->add_paths(path);
  ASSIGN_OR_RETURN(Client * client, session.client());
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::UpdateScheduleResponse>(request));
  const Card card = ScheduleCard(session, response.schedule());
  return AnswerChange(session, fmt::format("Schedule `{}` updated.", card.name), card);
}

absl::Status Pause(Session& session, const Arguments& arguments) {
  v1::PauseScheduleRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), ScheduleName(arguments));
  ASSIGN_OR_RETURN(Client * client, session.client());
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::PauseScheduleResponse>(request));
  const Card card = ScheduleCard(session, response.schedule());
  return AnswerChange(session,
                      fmt::format("Schedule `{0}` paused: its runs that are not due yet are taken "
                                  "back. Resume: forebay schedule resume {0}",
                                  card.name),
                      card);
}

absl::Status Resume(Session& session, const Arguments& arguments) {
  v1::ResumeScheduleRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), ScheduleName(arguments));
  ASSIGN_OR_RETURN(Client * client, session.client());
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::ResumeScheduleResponse>(request));
  const Card card = ScheduleCard(session, response.schedule());
  return AnswerChange(session, fmt::format("Schedule `{}` resumed from now on.", card.name), card);
}

absl::Status Delete(Session& session, const Arguments& arguments) {
  v1::DeleteScheduleRequest request;
  ASSIGN_OR_RETURN(*request.mutable_name(), ScheduleName(arguments));
  ASSIGN_OR_RETURN(Client * client, session.client());
  RETURN_IF_ERROR(client->Call<v1::DeleteScheduleResponse>(request).status());
  session.Say(fmt::format("Schedule `{}` deleted.", ScheduleShortName(request.name())));
  return absl::OkStatus();
}

std::vector<Option> CreateOptions() {
  std::vector<Option> options = ScheduleOptions();
  options.insert(options.begin(), {"--slug", "SLUG", "Its name in the deployment (made up)"});
  return options;
}

}  // namespace

std::vector<Command> ScheduleCommands() {
  const Positional name = {"NAME", "flow/deployment/slug", true, {}, Completes::kSchedules};
  const Positional deployment = {
      "DEPLOYMENT", "flow/deployment", true, {}, Completes::kDeployments};
  const std::vector<Option> list_options = {
      {"--deployment",
       "NAME",
       "Only of this deployment",
       false,
       false,
       false,
       {},
       Completes::kDeployments},
      {"-p,--pool", "POOL", "Only of this pool", false, false, false, {}, Completes::kPools},
  };
  const auto command = [](const char* path, const char* summary,
                          std::vector<Positional> positionals, std::vector<Option> options,
                          auto run) {
    return Command{path, summary, std::move(positionals), std::move(options), false, false, run};
  };
  return {
      command("schedule create", "Run a deployment by a rule", {deployment}, CreateOptions(),
              Create),
      command("schedule ls", "List schedules", {}, list_options, List),
      command("schedule inspect", "Show one schedule with its next fires", {name}, {}, Inspect),
      command("schedule update", "Change a schedule; another rule replaces the one it has", {name},
              ScheduleOptions(), Update),
      command("schedule pause", "Make no more runs", {name}, {}, Pause),
      command("schedule resume", "Make runs again, from now on", {name}, {}, Resume),
      command("schedule delete", "Delete a schedule and its runs that are not due yet", {name}, {},
              Delete),
  };
}

}  // namespace forebay::cli
