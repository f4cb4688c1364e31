#include "server/schedule/recurrence_error.h"

#include "common/base/status.h"
#include "common/base/text.h"

namespace forebay::server {

absl::Status InvalidRecurrence(std::string_view part, std::string_view value, std::string_view why,
                               std::string_view allowed) {
  constexpr size_t kMostShown = 80;
  const std::string name = ToValidUtf8(part.substr(0, kMostShown));
  const std::string shown = ToValidUtf8(value.substr(0, kMostShown));
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_RRULE")
      .Field(name, shown)
      .With("allowed", allowed)
      .Says("{}: '{}' {}; allowed: {}", name, shown, why, allowed);
}

}  // namespace forebay::server
