#include "server/submit/lobby.h"

#include <random>
#include <set>

#include "tests/support/catch.h"
#include "tests/support/fake_clock.h"
#include "tests/support/ids.h"

namespace forebay::server {
namespace {

const Uuid kPool = Id(1);
const Uuid kQueue = Id(2);

// A queue as the test says that it is.
struct World {
  int free_slots = 0;
  Turnover::Outlook outlook;
  Lobby lobby{{[this](const Uuid&, const Uuid&) { return free_slots; },
               [this](const Uuid&) { return outlook; }}};
  absl::Duration now = absl::Seconds(5);
  uint8_t runs = 0;

  std::vector<SubmitRequest> Call(size_t count) {
    auto deployment = std::make_shared<DeploymentSnapshot>();
    deployment->pool = kPool;
    deployment->queue = kQueue;
    std::vector<SubmitRequest> requests(count);
    for (SubmitRequest& request : requests) {
      request.submission.run = Id(++runs);
      request.submission.deployment = deployment;
    }
    return requests;
  }
  size_t Enter(size_t count) { return lobby.Enter(Call(count), now).size(); }
};

void Seat(Lobby& lobby, const std::vector<SubmitRequest>& requests) {
  for (const SubmitRequest& request : requests) lobby.Seated(request.submission);
}

TEST_CASE("lobby: where nothing moves nobody waits", "[lobby]") {
  World world;
  CHECK(world.Enter(10) == 10);
  world.outlook.waiting = 5;
  CHECK(world.Enter(10) == 10);
  CHECK(world.lobby.size() == 0);
  CHECK(world.lobby.NextExpiry() == std::nullopt);
}

TEST_CASE("lobby: as many go on as slots are free, the others when slots come", "[lobby]") {
  World world;
  world.free_slots = 3;
  world.outlook.pace = 100;
  std::vector<SubmitRequest> passed = world.lobby.Enter(world.Call(5), world.now);
  CHECK(passed.size() == 3);
  CHECK(world.lobby.size() == 2);
  // The slots are still there, but spoken for.
  CHECK(world.lobby.Release(kPool).empty());
  world.free_slots = 0;
  Seat(world.lobby, passed);
  CHECK(world.lobby.Release(kPool).empty());
  world.free_slots = 1;
  CHECK(world.lobby.Release(Id(9)).empty());
  passed = world.lobby.Release(kPool);
  REQUIRE(passed.size() == 1);
  CHECK(passed[0].submission.run == Id(4));
}

TEST_CASE("lobby: no call overtakes another, and a call keeps its order", "[lobby]") {
  World world;
  world.outlook.pace = 1;
  // Ten windows' ends are what may wait; the rest of the call stays behind its first.
  CHECK(world.Enter(15) == 0);
  world.free_slots = 100;
  // Slots came, but nobody has told yet.
  CHECK(world.lobby.size() == 15);
  world.outlook.pace = 100;
  CHECK(world.Enter(1) == 0);
  const std::vector<SubmitRequest> passed = world.lobby.Release(kPool);
  REQUIRE(passed.size() == 16);
  for (size_t i = 0; i < passed.size(); ++i)
    CHECK(passed[i].submission.run == Id(static_cast<uint8_t>(i + 1)));
}

TEST_CASE("lobby: who would wait too long goes on at once, to the queue", "[lobby]") {
  World world;
  world.outlook.pace = 1;
  CHECK(world.Enter(12) == 0);
  CHECK(world.Enter(5) == 5);
}

TEST_CASE("lobby: what is due later has nothing to wait for", "[lobby]") {
  World world;
  world.outlook.pace = 100;
  std::vector<SubmitRequest> requests = world.Call(1);
  requests[0].submission.due = absl::UnixEpoch() + absl::Hours(1);
  CHECK(world.lobby.Enter(std::move(requests), world.now).size() == 1);
}

TEST_CASE("lobby: nobody waits longer than the longest", "[lobby]") {
  World world;
  world.outlook.pace = 100;
  CHECK(world.Enter(2) == 0);
  world.now += absl::Milliseconds(100);
  CHECK(world.Enter(1) == 0);
  REQUIRE(world.lobby.NextExpiry() == absl::Seconds(5) + Lobby::kLongest);
  CHECK(world.lobby.Expire(absl::Seconds(5) + Lobby::kLongest - absl::Milliseconds(1)).empty());
  CHECK(world.lobby.Expire(absl::Seconds(5) + Lobby::kLongest).size() == 2);
  CHECK(world.lobby.Empty().size() == 1);
  CHECK(world.lobby.size() == 0);
}

TEST_CASE("lobby: few that wait in the queue go first", "[lobby]") {
  World world;
  world.outlook = {.waiting = 50, .pace = 100, .ended = 1000};
  world.free_slots = 30;
  CHECK(world.Enter(10) == 0);
  world.outlook.ended = 1040;
  CHECK(world.lobby.Release(kPool).empty());
  world.outlook.waiting = 0;
  CHECK(world.lobby.Release(kPool).size() == 10);
}

TEST_CASE("lobby: while many wait in the queue one goes on for two that end", "[lobby]") {
  World world;
  world.outlook = {.waiting = 50, .pace = 10, .ended = 1000};
  CHECK(world.Enter(10) == 0);
  CHECK(world.lobby.Release(kPool).empty());
  world.outlook.ended = 1005;
  CHECK(world.lobby.Release(kPool).size() == 2);
  world.outlook.ended = 1006;
  CHECK(world.lobby.Release(kPool).size() == 1);
  // The queue is empty: slots count again.
  world.outlook.waiting = 0;
  world.free_slots = 5;
  CHECK(world.lobby.Release(kPool).size() == 2);
}

TEST_CASE("lobby: whatever happens, each goes on exactly once and in time", "[lobby]") {
  for (unsigned seed = 1; seed <= 50; ++seed) {
    World world;
    std::minstd_rand random(seed);
    const auto draw = [&random](int most) { return static_cast<int>(random() % (most + 1)); };
    std::set<Uuid> gone;
    std::set<Uuid> all;
    const auto go = [&](const std::vector<SubmitRequest>& passed) {
      for (const SubmitRequest& request : passed)
        REQUIRE(gone.insert(request.submission.run).second);
      Seat(world.lobby, passed);
    };
    for (int step = 0; step < 60; ++step) {
      world.free_slots = draw(4);
      world.outlook = {
          .waiting = draw(1) * draw(5), .pace = draw(3), .ended = world.outlook.ended + draw(6)};
      world.now += absl::Milliseconds(draw(60));
      go(world.lobby.Expire(world.now));
      std::vector<SubmitRequest> call = world.Call(static_cast<size_t>(draw(4)));
      for (const SubmitRequest& request : call) all.insert(request.submission.run);
      go(world.lobby.Enter(std::move(call), world.now));
      go(world.lobby.Release(kPool));
      REQUIRE(gone.size() + world.lobby.size() == all.size());
      const auto next = world.lobby.NextExpiry();
      REQUIRE((!next.has_value() || *next <= world.now + Lobby::kLongest));
    }
    go(world.lobby.Empty());
    REQUIRE(gone == all);
  }
}

TEST_CASE("turnover: waiting is what was queued and not claimed", "[lobby]") {
  FakeClock clock;
  Turnover turnover(clock);
  turnover.Queued(kQueue, 10);
  turnover.Claimed(kQueue, 4);
  CHECK(turnover.Of(kQueue).waiting == 6);
  turnover.Claimed(kQueue, 100);
  CHECK(turnover.Of(kQueue).waiting == 0);
  turnover.Queued(kQueue, 3);
  turnover.Drained(kQueue);
  CHECK(turnover.Of(kQueue).waiting == 0);
  CHECK(turnover.Of(Id(77)).waiting == 0);
}

TEST_CASE("turnover: the pace is known at once, and forgotten slowly", "[lobby]") {
  FakeClock clock;
  Turnover turnover(clock);
  turnover.Ended(std::vector<Uuid>(100, kQueue));
  CHECK(turnover.Of(kQueue).pace == 100);
  CHECK(turnover.Of(kQueue).ended == 100);
  clock.Advance(2 * Turnover::kWindow);
  CHECK(turnover.Of(kQueue).pace == 64);
  turnover.Ended(std::vector<Uuid>(10, kQueue));
  CHECK(turnover.Of(kQueue).pace == 64);
  clock.Advance(absl::Seconds(1));
  CHECK(turnover.Of(kQueue).pace == 0);
  CHECK(turnover.Of(kQueue).ended == 110);
  clock.Advance(absl::Hours(24));
  CHECK(turnover.Of(kQueue).pace == 0);
}

}  // namespace
}  // namespace forebay::server
