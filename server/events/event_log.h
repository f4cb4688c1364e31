#pragma once

// Reads the events of runs from a cursor on. Blocking; on the caller's session.
//
// Only events of transactions below the oldest one under way are read, so none can appear later
// before a place that was answered. A transaction of another client that stays open holds the
// events back, never the runs.

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "forebay/v1/event.pb.h"
#include "server/db/session.h"
#include "server/events/event_cursor.h"

namespace forebay::server {

struct EventFilter {
  Uuid team;
  std::optional<Uuid> run;
  std::optional<Uuid> deployment;
  std::optional<Uuid> pool;
  // Empty: any.
  std::vector<v1::StateType> states;
};

struct EventPage {
  std::vector<v1::Event> events;
  EventCursor next;
  // Something stands behind `next` that cannot be read yet; it can be in a moment.
  bool more_soon = false;
};

// The place of this moment.
absl::StatusOr<EventCursor> EventsFromNow(Session& session);
// The place before the oldest event that is kept.
absl::StatusOr<EventCursor> EventsFromOldest(Session& session);

// At most `limit` (> 0) events behind `from`. OUT_OF_RANGE (CURSOR_GONE).
absl::StatusOr<EventPage> ReadEvents(Session& session, const EventFilter& filter,
                                     const EventCursor& from, int limit);

}  // namespace forebay::server
