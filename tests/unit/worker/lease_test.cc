#include "worker/session/lease.h"

#include "tests/support/catch.h"
#include "tests/support/fake_clock.h"

namespace forebay::worker {

TEST_CASE("lease: ends a fifth before the server's, counted from when the call was sent",
          "[lease]") {
  FakeClock clock;
  Lease lease(clock);
  CHECK_FALSE(lease.holds());
  const absl::Duration sent = clock.Monotonic();
  clock.Advance(absl::Seconds(2));
  lease.Renew(sent, absl::Seconds(15));
  clock.Advance(absl::Seconds(10) - absl::Milliseconds(1));
  CHECK(lease.holds());
  clock.Advance(absl::Milliseconds(1));
  CHECK_FALSE(lease.holds());
}

TEST_CASE("lease: an answer that comes late does not shorten it, and a lost one is over",
          "[lease]") {
  FakeClock clock;
  Lease lease(clock);
  lease.Renew(absl::Seconds(10), absl::Seconds(10));
  lease.Renew(absl::Seconds(0), absl::Seconds(10));
  clock.Advance(absl::Seconds(17));
  CHECK(lease.holds());
  lease.Lose();
  CHECK_FALSE(lease.holds());
}

}  // namespace forebay::worker
