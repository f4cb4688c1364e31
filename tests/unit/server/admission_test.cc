#include "server/queue/admission.h"

#include "tests/support/catch.h"
#include "tests/support/seeded_random.h"

namespace forebay::server {
namespace {

Uuid Id(int n) {
  Uuid id;
  id.bytes[15] = static_cast<uint8_t>(n);
  return id;
}

SlotScope Pool() { return {"pool", Id(1)}; }
SlotScope Deployment(int n) { return {"deployment", Id(n)}; }
SlotScope Named(int n) { return {"named", Id(n)}; }

TEST_CASE("admission: without limits all are admitted", "[admission]") {
  SlotsLeft left;
  CHECK(Admit({{Pool()}, {Pool(), Deployment(1)}}, left) == std::vector<bool>{true, true});
}

TEST_CASE("admission: a run without a slot is passed over, those behind it are not",
          "[admission]") {
  SlotsLeft left = {{Deployment(1), 1}, {Deployment(2), 5}};
  const auto admitted = Admit({{Deployment(1)}, {Deployment(1)}, {Deployment(2)}}, left);
  CHECK(admitted == std::vector<bool>{true, false, true});
  CHECK(left[Deployment(1)] == 0);
  CHECK(left[Deployment(2)] == 4);
}

TEST_CASE("admission: a run takes a slot of every scope or of none", "[admission]") {
  SlotsLeft left = {{Named(1), 1}, {Named(2), 0}, {Pool(), 3}};
  CHECK(Admit({{Pool(), Named(1), Named(2)}, {Pool(), Named(1)}}, left) ==
        std::vector<bool>{false, true});
  CHECK(left[Pool()] == 2);
}

TEST_CASE("admission: a limit below its use admits nothing", "[admission]") {
  SlotsLeft left = {{Pool(), -2}};
  CHECK(Admit({{Pool()}}, left) == std::vector<bool>{false});
  CHECK(left[Pool()] == -2);
}

TEST_CASE("admission: whatever comes, no scope is overdrawn and nobody waits who need not",
          "[admission]") {
  SeededRandom random(7);
  for (int round = 0; round < 500; ++round) {
    SlotsLeft left;
    for (int n = 1; n <= 4; ++n) {
      if (random.Below(3) > 0) left[Named(n)] = static_cast<int>(random.Below(4)) - 1;
    }
    std::vector<std::vector<SlotScope>> runs(random.Below(12));
    for (auto& takes : runs) {
      for (int n = 1; n <= 4; ++n) {
        if (random.Below(2) == 0) takes.push_back(Named(n));
      }
    }
    const SlotsLeft before = left;
    const std::vector<bool> admitted = Admit(runs, left);
    // By hand: taking in order, each run's fate follows from those before it alone.
    SlotsLeft replay = before;
    for (size_t i = 0; i < runs.size(); ++i) {
      bool fits = true;
      for (const SlotScope& scope : runs[i]) fits &= !replay.contains(scope) || replay[scope] > 0;
      REQUIRE(admitted[i] == fits);
      for (const SlotScope& scope : runs[i]) {
        if (fits && replay.contains(scope)) REQUIRE(--replay[scope] >= 0);
      }
    }
    REQUIRE(replay == left);
  }
}

}  // namespace
}  // namespace forebay::server
