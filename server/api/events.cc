#include "server/events/event_log.h"

#include <set>

#include "common/base/status.h"
#include "server/api/handlers.h"
#include "server/api/long_poll.h"
#include "server/api/messages.h"
#include "server/api/service_table.h"
#include "server/runs/run_view.h"
#include "server/store/deployments.h"
#include "server/store/work_pools.h"

namespace forebay::server {
namespace {

using Seen = Watchers::Seen;

struct Watch {
  EventFilter filter;
  EventCursor from;
  int page_size = 0;
  // The caller asked for a place only.
  bool answer_now = false;
};

template <typename Request>
absl::StatusOr<Watch> Begin(Session& session, const Caller& caller, const Request& request,
                            bool from_oldest) {
  Watch watch;
  watch.filter.team = caller.team;
  ASSIGN_OR_RETURN(watch.page_size, PageSize(request.page_size()));
  if (!request.deployment().empty()) {
    ASSIGN_OR_RETURN(const DeploymentName name,
                     DeploymentNameOf(request.deployment(), "deployment"));
    ASSIGN_OR_RETURN(watch.filter.deployment, FindDeployment(session, caller.team, name));
  }
  if (!request.work_pool().empty()) {
    ASSIGN_OR_RETURN(const std::string name, PoolNameOf(request.work_pool(), "work_pool"));
    ASSIGN_OR_RETURN(const v1::WorkPool pool, ReadPool(session, name));
    watch.filter.pool = Uuid::Parse(pool.uid());
  }
  if (!request.cursor().empty()) {
    ASSIGN_OR_RETURN(watch.from, EventCursor::Parse(request.cursor()));
  } else if (from_oldest) {
    ASSIGN_OR_RETURN(watch.from, EventsFromOldest(session));
  } else {
    ASSIGN_OR_RETURN(watch.from, EventsFromNow(session));
    watch.answer_now = true;
  }
  return watch;
}

absl::StatusOr<Watch> BeginEvents(Session& session, const Caller& caller,
                                  const v1::WatchEventsRequest& request) {
  ASSIGN_OR_RETURN(Watch watch, Begin(session, caller, request, request.from_oldest()));
  if (!request.flow_run().empty()) {
    ASSIGN_OR_RETURN(watch.filter.run, IdOf(request.flow_run(), "flowRuns", "flow_run"));
  }
  for (const int state : request.states())
    watch.filter.states.push_back(static_cast<v1::StateType>(state));
  return watch;
}

absl::StatusOr<v1::WatchEventsResponse> EventsOf(Session&, EventPage page) {
  v1::WatchEventsResponse response;
  for (v1::Event& event : page.events) *response.add_events() = std::move(event);
  response.set_cursor(page.next.ToString());
  return response;
}

absl::StatusOr<v1::WatchFlowRunsResponse> RunsOf(Session& session, const Uuid& team,
                                                 const EventPage& page) {
  v1::WatchFlowRunsResponse response;
  response.set_cursor(page.next.ToString());
  std::set<Uuid> gone;
  for (const v1::Event& event : page.events) {
    ASSIGN_OR_RETURN(const Uuid run, IdOf(event.flow_run(), "flowRuns", "flow_run"));
    gone.insert(run);
  }
  ASSIGN_OR_RETURN(auto runs, ReadRuns(session, team, {gone.begin(), gone.end()}));
  for (v1::FlowRun& run : runs) {
    ASSIGN_OR_RETURN(const Uuid id, IdOf(run.name(), "flowRuns", "flow_run"));
    gone.erase(id);
    *response.add_flow_runs() = std::move(run);
  }
  for (const Uuid& run : gone) response.add_deleted("flowRuns/" + run.ToString());
  return response;
}

// Begins with the first look, which finds out what is wanted, and goes on from there.
template <typename Response, typename Beginning, typename Answer>
Watchers::Look LookForEvents(Beginning begin, Answer answer, Responder<Response> respond) {
  return [begin, answer, respond, watch = std::optional<Watch>()](Session& session,
                                                                  bool last) mutable {
    const auto finish = [&](absl::StatusOr<Response> response) {
      respond(std::move(response));
      return Seen::kAnswered;
    };
    if (!watch.has_value()) {
      absl::StatusOr<Watch> begun = begin(session);
      if (!begun.ok()) return finish(begun.status());
      watch = *std::move(begun);
    }
    absl::StatusOr<EventPage> page =
        ReadEvents(session, watch->filter, watch->from, watch->page_size);
    if (!page.ok()) return finish(page.status());
    if (watch->answer_now) page->events.clear();
    if (!page->events.empty() || last || watch->answer_now)
      return finish(answer(session, *std::move(page)));
    watch->from = page->next;
    return page->more_soon ? Seen::kMoreSoon : Seen::kNothing;
  };
}

void WatchEvents(Backend& backend, const Caller& caller, const v1::WatchEventsRequest& request,
                 const Responder<v1::WatchEventsResponse>& respond) {
  auto begin = [caller, request](Session& session) {
    return BeginEvents(session, caller, request);
  };
  LongPoll(backend.watchers, std::nullopt, WaitOf(request, kDefaultWait), respond,
           LookForEvents(begin, EventsOf, respond));
}

void WatchRuns(Backend& backend, const Caller& caller, const v1::WatchFlowRunsRequest& request,
               const Responder<v1::WatchFlowRunsResponse>& respond) {
  auto begin = [caller, request](Session& session) {
    return Begin(session, caller, request, false);
  };
  auto answer = [team = caller.team](Session& session, const EventPage& page) {
    return RunsOf(session, team, page);
  };
  LongPoll(backend.watchers, std::nullopt, WaitOf(request, kDefaultWait), respond,
           LookForEvents(begin, answer, respond));
}

}  // namespace

void RegisterEvents(ServiceTable& table, Backend& backend) {
  table.Async<v1::WatchEventsRequest, v1::WatchEventsResponse>(
      "EventService.WatchEvents", [&backend](const Caller& c, const auto& r, auto respond) {
        WatchEvents(backend, c, r, respond);
      });
  table.Async<v1::WatchFlowRunsRequest, v1::WatchFlowRunsResponse>(
      "FlowRunService.WatchFlowRuns", [&backend](const Caller& c, const auto& r, auto respond) {
        WatchRuns(backend, c, r, respond);
      });
}

}  // namespace forebay::server
