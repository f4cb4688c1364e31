#include "common/base/uuid.h"

#include <algorithm>
#include <thread>
#include <unordered_set>
#include <vector>

#include "tests/support/catch.h"
#include "tests/support/fake_clock.h"
#include "tests/support/seeded_random.h"

namespace forebay {
namespace {

constexpr char kText[] = "0190e0a0-1234-7abc-8def-0123456789ab";

TEST_CASE("The canonical form survives a round trip") {
  const auto id = Uuid::Parse(kText);
  REQUIRE(id.has_value());
  CHECK(id->ToString() == kText);
  CHECK(Uuid::Parse("0190E0A0-1234-7ABC-8DEF-0123456789AB") == id);
}

TEST_CASE("Nothing but the canonical form is read") {
  for (const char* text :
       {"", "0190e0a012347abc8def0123456789ab", "{0190e0a0-1234-7abc-8def-0123456789ab}",
        "0190e0a0-1234-7abc-8def-0123456789a", "0190e0a0-1234-7abc-8def-0123456789ag",
        "0190e0a01-234-7abc-8def-0123456789ab", " 0190e0a0-1234-7abc-8def-0123456789a"}) {
    INFO(text);
    CHECK_FALSE(Uuid::Parse(text).has_value());
  }
}

TEST_CASE("A new id is of version 7 and carries the millisecond of its making") {
  FakeClock clock;
  SeededRandom random(10);
  const Uuid id = UuidSource(clock, random).Next();
  CHECK(id.bytes[6] >> 4 == 7);
  CHECK(id.bytes[8] >> 6 == 2);
  CHECK(id.Time() == clock.Now());
}

TEST_CASE("Ids sort in the order of their making, down to the microsecond") {
  FakeClock clock;
  SeededRandom random(11);
  UuidSource source(clock, random);
  Uuid before = source.Next();
  for (int i = 0; i < 2000; ++i) {
    clock.Advance(absl::Microseconds(1));
    const Uuid next = source.Next();
    CHECK(before < next);
    CHECK(before.ToString() < next.ToString());
    before = next;
  }
}

TEST_CASE("Ids of one moment sort in the order of their making, and next to it in time") {
  FakeClock clock;
  UuidSource source(clock, SystemRandom());
  Uuid before = source.Next();
  for (int i = 0; i < 10'000; ++i) {
    const Uuid next = source.Next();
    CHECK(before < next);
    before = next;
  }
  CHECK(before.Time() - clock.Now() < absl::Milliseconds(4));
}

TEST_CASE("Ids made from several threads at once differ, and each thread's sort") {
  FakeClock clock;
  UuidSource source(clock, SystemRandom());
  std::vector<std::vector<Uuid>> made(4);
  std::vector<std::thread> threads;
  for (auto& mine : made) {
    threads.emplace_back([&source, &mine] {
      for (int i = 0; i < 1000; ++i) mine.push_back(source.Next());
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::unordered_set<Uuid> seen;
  for (const auto& mine : made) {
    CHECK(std::is_sorted(mine.begin(), mine.end()));
    seen.insert(mine.begin(), mine.end());
  }
  CHECK(seen.size() == 4000);
}

TEST_CASE("A clock that is set back far is followed") {
  FakeClock clock;
  UuidSource source(clock, SystemRandom());
  source.Next();
  clock.Advance(absl::Hours(-1));
  CHECK(source.Next().Time() == clock.Now());
}

}  // namespace
}  // namespace forebay
