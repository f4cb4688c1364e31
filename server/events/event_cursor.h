#pragma once

// A place in the order of events: after one event, or after all events of the transactions below
// one. Pure; thread-safe.

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace forebay::server {

struct EventCursor {
  // PostgreSQL's 64-bit transaction id.
  uint64_t transaction = 0;
  // Of the last event seen of that transaction; 0: none yet.
  int64_t sequence = 0;

  // "<transaction>.<sequence>"; callers treat it as opaque.
  std::string ToString() const;
  // INVALID_ARGUMENT (INVALID_CURSOR).
  static absl::StatusOr<EventCursor> Parse(std::string_view text);

  auto operator<=>(const EventCursor&) const = default;
};

}  // namespace forebay::server
