#include "server/queue/low_water_mark.h"

#include "tests/support/catch.h"
#include "tests/support/ids.h"

namespace forebay::server {
namespace {

const absl::Time kMorning = absl::FromUnixSeconds(1'000'000);
constexpr absl::Duration kDearWalk = absl::Milliseconds(30);

// One queue that is claimed from, a hundred at most at a time; both clocks stand together.
struct OneQueue {
  LowWaterMarks marks;
  absl::Duration now = absl::Seconds(100);

  absl::Time Now() const { return kMorning + now; }
  std::optional<absl::Time> From() const { return marks.From(Id(1), now); }
  ClaimWalk Walk(int found, absl::Duration took) const {
    ClaimWalk walk;
    walk.total = 100;
    walk.as_of = Now();
    walk.took = took;
    walk.queues.push_back({Id(1), 100, From()});
    walk.queues[0].found = found;
    return walk;
  }
  void Claim(int found, absl::Duration took) { marks.Committed(Walk(found, took), now); }
  // Until marks are in use.
  void BeDear() {
    Claim(0, kDearWalk);
    Claim(0, kDearWalk);
    Claim(0, absl::Milliseconds(1));
    REQUIRE(From().has_value());
  }
};

TEST_CASE("low-water marks: none while walks are cheap", "[queue]") {
  OneQueue queue;
  for (int i = 0; i < 10; ++i) queue.Claim(i, absl::Microseconds(900));
  CHECK(!queue.From().has_value());
}

TEST_CASE("low-water marks: a walk that finds much may take long", "[queue]") {
  OneQueue queue;
  for (int i = 0; i < 10; ++i) queue.Claim(100, absl::Milliseconds(3));
  CHECK(!queue.From().has_value());
  for (int i = 0; i < 2; ++i) queue.Claim(100, absl::Microseconds(3001));
  CHECK(queue.From().has_value());
}

TEST_CASE("low-water marks: one dear walk between cheap ones is chance", "[queue]") {
  OneQueue queue;
  for (int i = 0; i < 10; ++i) {
    queue.Claim(0, kDearWalk);
    CHECK(!queue.From().has_value());
    queue.Claim(0, absl::ZeroDuration());
    CHECK(!queue.From().has_value());
  }
}

TEST_CASE("low-water marks: what saves less than half is left for a rest", "[queue]") {
  OneQueue queue;
  queue.Claim(0, kDearWalk);
  queue.Claim(0, kDearWalk);
  ClaimWalk tried = queue.Walk(0, kDearWalk * 0.6);
  queue.marks.Committed(tried, queue.now);
  CHECK(!queue.From().has_value());
  CHECK(queue.marks.NextWholeWalkIn(tried, queue.now) == absl::ZeroDuration());
  queue.now += kDearWalk * 49;
  queue.Claim(0, kDearWalk);
  CHECK(!queue.From().has_value());
  queue.now += kDearWalk;
  queue.Claim(0, kDearWalk);
  CHECK(queue.From().has_value());
}

TEST_CASE("low-water marks: the beginning is read again after a rest, and marks go with its cost",
          "[queue]") {
  OneQueue queue;
  queue.BeDear();
  ClaimWalk walk = queue.Walk(1, absl::Milliseconds(1));
  CHECK(queue.marks.NextWholeWalkIn(walk, queue.now) == kDearWalk * LowWaterMarks::kRest);
  queue.now += kDearWalk * LowWaterMarks::kRest - absl::Microseconds(1);
  CHECK(queue.From().has_value());
  queue.now += absl::Microseconds(1);
  CHECK(!queue.From().has_value());
  CHECK(queue.marks.NextWholeWalkIn(walk, queue.now) == absl::ZeroDuration());
  queue.Claim(0, kDearWalk);
  CHECK(queue.From().has_value());
  queue.now += kDearWalk * LowWaterMarks::kRest;
  queue.Claim(0, absl::Milliseconds(1));
  queue.now += absl::Milliseconds(1);
  CHECK(!queue.From().has_value());
}

TEST_CASE("low-water marks: no rest is longer than the longest", "[queue]") {
  OneQueue queue;
  queue.Claim(0, absl::Seconds(1));
  queue.Claim(0, absl::Seconds(1));
  queue.now += LowWaterMarks::kLongestRest - absl::Microseconds(1);
  CHECK(queue.From().has_value());
  queue.now += absl::Microseconds(1);
  CHECK(!queue.From().has_value());
}

TEST_CASE("low-water marks: where a claim leaves the mark", "[queue]") {
  OneQueue queue;
  queue.BeDear();
  const absl::Time newest = queue.Now() - LowWaterMarks::kOverlap;
  CHECK(queue.From() == newest);
  ClaimWalk walk = queue.Walk(100, absl::Milliseconds(2));
  QueueWalk& part = walk.queues[0];
  part.first = newest - absl::Seconds(8);
  part.last = newest - absl::Seconds(3);
  SECTION("at the last run of a full page") {
    queue.marks.Committed(walk, queue.now);
    CHECK(queue.From() == part.last);
  }
  SECTION("behind the clock, though the last run is due just now") {
    part.last = queue.Now();
    queue.marks.Committed(walk, queue.now);
    CHECK(queue.From() == newest);
  }
  SECTION("behind the clock, when nothing is left") {
    part.found = 99;
    queue.marks.Committed(walk, queue.now);
    CHECK(queue.From() == newest);
  }
  SECTION("at the last run, when another queue filled the claim") {
    part.found = 99;
    walk.queues.push_back({Id(2), 100, std::nullopt});
    walk.queues[1].found = 1;
    walk.queues[1].last = newest;
    std::swap(walk.queues[0], walk.queues[1]);
    queue.marks.Committed(walk, queue.now);
    CHECK(queue.From() == walk.queues[1].last);
  }
  SECTION("at the first run, when one of them still waits") {
    part.left = 1;
    queue.marks.Committed(walk, queue.now);
    CHECK(queue.From() == part.first);
  }
}

TEST_CASE("low-water marks: a queue that was not come to keeps its own", "[queue]") {
  OneQueue queue;
  queue.BeDear();
  const auto before = queue.From();
  queue.now += absl::Milliseconds(100);
  ClaimWalk walk = queue.Walk(0, absl::Milliseconds(1));
  walk.queues.insert(walk.queues.begin(), QueueWalk{Id(2), 100, std::nullopt, 100});
  queue.marks.Committed(walk, queue.now);
  CHECK(queue.From() == before);
}

TEST_CASE("low-water marks: a walk that fills up before the mark is no cheap one", "[queue]") {
  OneQueue queue;
  queue.BeDear();
  queue.now += kDearWalk * LowWaterMarks::kRest;
  ClaimWalk walk = queue.Walk(100, absl::Milliseconds(1));
  REQUIRE(!walk.queues[0].from.has_value());
  walk.queues[0].last = kMorning;
  queue.marks.Committed(walk, queue.now);
  CHECK(queue.From() == kMorning);
}

}  // namespace
}  // namespace forebay::server
