#include "forebay/v1/event.pb.h"

#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/answer.h"
#include "cli/commands/commands.h"
#include "cli/follow.h"
#include "cli/names.h"
#include "cli/output/proto_json.h"
#include "cli/patience.h"
#include "cli/proto_values.h"
#include "common/base/status.h"

namespace forebay::cli {
namespace {

constexpr int64_t kLongPollSeconds = 30;
constexpr char kOldest[] = "oldest";
constexpr std::string_view kStatePrefix = "STATE_TYPE_";

absl::StatusOr<v1::WatchEventsRequest> RequestOf(const Arguments& arguments) {
  v1::WatchEventsRequest request;
  if (arguments.Has("run")) request.set_flow_run(RunResource(arguments.Get("run")));
  if (arguments.Has("pool")) request.set_work_pool(PoolResource(arguments.Get("pool")));
  request.set_deployment(arguments.Get("deployment"));
  for (const std::string& word : arguments.All("state")) {
    ASSIGN_OR_RETURN(const int type,
                     ParseEnumWord(*v1::StateType_descriptor(), kStatePrefix, word, "--state"));
    request.add_states(static_cast<v1::StateType>(type));
  }
  const std::string since = arguments.Get("since");
  since == kOldest ? request.set_from_oldest(true) : request.set_cursor(since);
  request.mutable_wait()->set_seconds(arguments.Has("no-wait") ? 0 : kLongPollSeconds);
  return request;
}

// A run that is gone has no state any more.
std::string StateOf(const v1::Event& event) {
  return event.state().type() == v1::STATE_TYPE_UNSPECIFIED ? "DELETED" : StateName(event.state());
}

void Print(Session& session, const v1::Event& event) {
  if (!IsForPeople(session)) {
    const bool name = session.output().format == OutputFormat::kName;
    session.out() << (name ? event.cursor() : DumpJson(ToJson(event))) << '\n';
    return;
  }
  const std::string state = StateOf(event);
  const std::string pad(state.size() < 10 ? 10 - state.size() : 0, ' ');
  session.out() << fmt::format(
      "{}  {}{}  {}  {}{}\n",
      absl::FormatTime("%Y-%m-%d %H:%M:%E3S", TimeOf(event.state().time()), absl::LocalTimeZone()),
      Colored(state, StateColor(state), session.output().color_out), pad,
      LastSegment(event.flow_run()), DeploymentShortName(event.deployment()),
      event.state().message().empty() ? "" : "  " + event.state().message());
}

absl::Status Watch(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(v1::WatchEventsRequest request, RequestOf(arguments));
  ASSIGN_OR_RETURN(Client * client, session.client());
  Patience patience(session, true);
  const bool from_now = request.cursor().empty() && !request.from_oldest();
  if (from_now && arguments.Has("no-wait"))
    return Error(absl::StatusCode::kInvalidArgument, "USAGE")
        .Field("no-wait", "")
        .Next("forebay event watch --since oldest --no-wait")
        .Says("--no-wait needs --since: from now on nothing has happened yet");
  for (;;) {
    v1::WatchEventsResponse page;
    RETURN_IF_ERROR(patience.Keep([&]() -> absl::Status {
      ASSIGN_OR_RETURN(page,
                       client->Call<v1::WatchEventsResponse>(
                           request, absl::Seconds(kLongPollSeconds) + Client::kDefaultDeadline));
      return absl::OkStatus();
    }));
    for (const v1::Event& event : page.events()) Print(session, event);
    session.out().flush();
    request.set_cursor(page.cursor());
    request.set_from_oldest(false);
    if (arguments.Has("no-wait") && page.events().empty()) return absl::OkStatus();
  }
}

}  // namespace

std::vector<Command> EventCommands() {
  return {
      {"event watch",
       "Print what happens to runs, as it happens",
       {},
       {
           {"--run", "ID", "Only of this run", false, false, false, {}, Completes::kRuns},
           {"--deployment",
            "NAME",
            "Only of this deployment",
            false,
            false,
            false,
            {},
            Completes::kDeployments},
           {"-p,--pool", "POOL", "Only of this pool", false, false, false, {}, Completes::kPools},
           {"--state", "STATE", "Only what became this", false, true, false,
            EnumWords(*v1::StateType_descriptor(), kStatePrefix)},
           {"--since", "CURSOR",
            "Go on after this one (-o json and -o name show cursors), or from the `oldest` that is "
            "kept; else from now"},
           {"--no-wait", "", "End when everything up to now is printed"},
       },
       false,
       false,
       Watch},
  };
}

}  // namespace forebay::cli
