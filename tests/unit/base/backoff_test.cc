#include "common/base/backoff.h"

#include "tests/support/catch.h"
#include "tests/support/seeded_random.h"

namespace forebay {
namespace {

TEST_CASE("Pauses double up to the most, each between half its ceiling and the ceiling") {
  SeededRandom random(1);
  Backoff backoff(absl::Milliseconds(100), absl::Seconds(1), random);
  for (const int ceiling_ms : {100, 200, 400, 800, 1000, 1000}) {
    const absl::Duration pause = backoff.Next();
    CHECK(pause >= absl::Milliseconds(ceiling_ms) / 2);
    CHECK(pause <= absl::Milliseconds(ceiling_ms));
  }
}

TEST_CASE("After a success the pauses begin anew") {
  SeededRandom random(2);
  Backoff backoff(absl::Milliseconds(100), absl::Seconds(10), random);
  for (int i = 0; i < 5; ++i) backoff.Next();
  backoff.Reset();
  CHECK(backoff.Next() <= absl::Milliseconds(100));
}

TEST_CASE("Two callers with different luck do not pause in step") {
  SeededRandom one(3);
  SeededRandom other(4);
  Backoff first(absl::Seconds(1), absl::Seconds(8), one);
  Backoff second(absl::Seconds(1), absl::Seconds(8), other);
  CHECK(first.Next() != second.Next());
}

}  // namespace
}  // namespace forebay
