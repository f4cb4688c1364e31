#include "server/events/event_log.h"

#include "common/base/status.h"
#include "common/base/text.h"
#include "server/api/messages.h"
#include "server/db/queries.h"
#include "server/runs/run_row.h"

namespace forebay::server {
namespace {

uint64_t TransactionAt(const Rows& rows, size_t row, int column) {
  return static_cast<uint64_t>(ParseInt(rows.Text(row, column)).value_or(0));
}

struct Horizon {
  uint64_t transaction = 0;
  bool more_above = false;
  // The highest that was dropped with old events, and the highest that there can be.
  uint64_t floor = 0;
  uint64_t ceiling = 0;
};

absl::StatusOr<Horizon> ReadHorizon(Session& session) {
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kEventHorizon, {}));
  return Horizon{TransactionAt(rows, 0, 0), rows.Bool(0, 1), TransactionAt(rows, 0, 2),
                 TransactionAt(rows, 0, 3)};
}

absl::Status CheckKept(const EventCursor& from, const Horizon& horizon) {
  const bool dropped = from.transaction < horizon.floor;
  if (!dropped && from.transaction <= horizon.ceiling) return absl::OkStatus();
  return Error(absl::StatusCode::kOutOfRange, "CURSOR_GONE")
      .Field("cursor", from.ToString())
      .Says("{}; read the runs anew and go on from an empty cursor",
            dropped ? "what followed this cursor is kept no more"
                    : "this cursor is of another database, or of one restored since");
}

std::string NameOf(v1::StateType type, int attempt, std::string_view reason) {
  if (type == v1::STATE_TYPE_SCHEDULED && attempt > 0)
    return reason == "RESUMED" ? "Resuming" : "AwaitingRetry";
  if (type == v1::STATE_TYPE_PAUSED && reason == "SUSPENDED") return "Suspended";
  if (type == v1::STATE_TYPE_RUNNING && reason == "SUSPEND_REQUESTED") return "Suspending";
  if (type == v1::STATE_TYPE_UNSPECIFIED) return "Deleted";
  if (reason != "TIMED_OUT") return StateWordOf(type);
  return type == v1::STATE_TYPE_RUNNING ? "TimingOut" : "TimedOut";
}

v1::Event ReadEvent(const Rows& rows, size_t row) {
  const auto text = [&](int column) { return std::string(rows.Text(row, column)); };
  v1::Event event;
  event.set_cursor(EventCursor{TransactionAt(rows, row, 0), rows.Int(row, 1)}.ToString());
  event.set_flow_run("flowRuns/" + text(3));
  event.set_display_name(text(4));
  event.set_deployment("teams/" + text(5) + "/flows/" + text(6) + "/deployments/" + text(7));
  event.set_work_pool("workPools/" + text(8));
  v1::State& state = *event.mutable_state();
  ToProto(rows.Time(row, 2), *state.mutable_time());
  state.set_attempt(static_cast<int>(rows.Int(row, 9)));
  state.set_type(StateTypeOf(rows.Text(row, 10)));
  state.set_reason(text(11));
  state.set_message(text(12));
  state.set_name(NameOf(state.type(), state.attempt(), state.reason()));
  return event;
}

Args Selection(const EventFilter& filter, const EventCursor& from, const Horizon& horizon,
               int limit) {
  Args args;
  args.Text(std::to_string(from.transaction)).Int(from.sequence);
  args.Text(std::to_string(horizon.transaction)).Id(filter.team);
  for (const auto& id : {filter.pool, filter.deployment, filter.run})
    id.has_value() ? args.Id(*id) : args.Null();
  std::vector<std::string> states;
  for (const v1::StateType state : filter.states) states.emplace_back(StateNameOf(state));
  states.empty() ? args.Null() : args.Array(TextArray(states));
  return std::move(args.Int(limit));
}

}  // namespace

absl::StatusOr<EventCursor> EventsFromNow(Session& session) {
  ASSIGN_OR_RETURN(const Horizon horizon, ReadHorizon(session));
  return EventCursor{horizon.transaction, 0};
}

absl::StatusOr<EventCursor> EventsFromOldest(Session& session) {
  ASSIGN_OR_RETURN(const Horizon horizon, ReadHorizon(session));
  return EventCursor{horizon.floor, 0};
}

absl::StatusOr<EventPage> ReadEvents(Session& session, const EventFilter& filter,
                                     const EventCursor& from, int limit) {
  ASSIGN_OR_RETURN(const Horizon horizon, ReadHorizon(session));
  RETURN_IF_ERROR(CheckKept(from, horizon));
  ASSIGN_OR_RETURN(Rows rows,
                   session.Run(queries::kReadEvents, Selection(filter, from, horizon, limit)));
  EventPage page;
  for (size_t row = 0; row < rows.size(); ++row) page.events.push_back(ReadEvent(rows, row));
  page.next = std::max(from, EventCursor{horizon.transaction, 0});
  page.more_soon = horizon.more_above;
  if (page.events.size() < static_cast<size_t>(limit)) return page;
  ASSIGN_OR_RETURN(page.next, EventCursor::Parse(page.events.back().cursor()));
  return page;
}

}  // namespace forebay::server
