#include "cli/patience.h"

#include "absl/time/clock.h"
#include "common/base/status.h"

namespace forebay::cli {
namespace {

constexpr absl::Duration kLongest = absl::Minutes(5);

}  // namespace

absl::Status Patience::Keep(absl::FunctionRef<absl::Status()> call) {
  absl::Duration lost_at = absl::InfiniteDuration();
  for (;;) {
    absl::Status status = call();
    const absl::Duration now = session_.clock().Monotonic();
    if (status.code() != absl::StatusCode::kUnavailable) {
      if (lost_at != absl::InfiniteDuration() && narrate_) session_.Say("The connection is back.");
      succeeded_ = succeeded_ || status.ok();
      backoff_.Reset();
      return status;
    }
    if (!succeeded_ || now - lost_at > kLongest) return status;
    if (lost_at == absl::InfiniteDuration()) {
      lost_at = now;
      if (narrate_) session_.Say("The connection to the server is lost; trying again …");
    }
    absl::SleepFor(backoff_.Next());
  }
}

}  // namespace forebay::cli
