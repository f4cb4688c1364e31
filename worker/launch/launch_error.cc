#include "worker/launch/launch_error.h"

#include "common/base/status.h"

namespace forebay::worker {

absl::Status NotReadyNow(const absl::Status& ready) {
  if (ready.ok()) return ready;
  return Error(absl::StatusCode::kUnavailable, "INFRASTRUCTURE_UNAVAILABLE")
      .Says("{}", MessageOf(ready));
}

absl::Status NoSuch(std::string_view kind, const std::string& name) {
  return Error(absl::StatusCode::kNotFound, "INFRASTRUCTURE_NOT_FOUND")
      .With("value", name)
      .Says("no {} is named '{}'", kind, name);
}

}  // namespace forebay::worker
