#include "server/events/event_cursor.h"

#include "common/base/status.h"
#include "common/base/text.h"

namespace forebay::server {

std::string EventCursor::ToString() const {
  return std::to_string(transaction) + "." + std::to_string(sequence);
}

absl::StatusOr<EventCursor> EventCursor::Parse(std::string_view text) {
  const auto parts = Split(text, '.');
  if (parts.size() == 2) {
    const auto transaction = ParseInt(parts[0]);
    const auto sequence = ParseInt(parts[1]);
    if (transaction.has_value() && *transaction >= 0 && sequence.has_value() && *sequence >= 0)
      return EventCursor{static_cast<uint64_t>(*transaction), *sequence};
  }
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_CURSOR")
      .Field("cursor", text)
      .Says("cursor '{}' is not one that a watch of this server gave out", text);
}

}  // namespace forebay::server
