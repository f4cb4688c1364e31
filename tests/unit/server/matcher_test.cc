#include "server/claim/matcher.h"

#include "tests/support/catch.h"
#include "tests/support/ids.h"

namespace forebay::server {
namespace {

ParkedDemand Demand(uint64_t poll, int slots, std::vector<Uuid> queues = {}) {
  ParkedDemand demand;
  demand.poll = poll;
  demand.worker = Id(static_cast<uint8_t>(poll));
  demand.free_slots = slots;
  demand.queues = std::move(queues);
  return demand;
}

TEST_CASE("matcher: polls are served in the order of their arrival", "[matcher]") {
  Matcher matcher;
  matcher.Park(Demand(1, 1));
  matcher.Park(Demand(2, 1));
  CHECK(matcher.Take(Id(9))->poll == 1);
  CHECK(matcher.Take(Id(9))->poll == 2);
  CHECK_FALSE(matcher.Take(Id(9)).has_value());
}

TEST_CASE("matcher: a narrow worker goes before a wide one", "[matcher]") {
  Matcher matcher;
  matcher.Park(Demand(1, 1));
  matcher.Park(Demand(2, 1, {Id(9), Id(8)}));
  matcher.Park(Demand(3, 1, {Id(9)}));
  CHECK(matcher.Take(Id(9))->poll == 3);
  CHECK(matcher.Take(Id(9))->poll == 2);
  CHECK(matcher.Take(Id(9))->poll == 1);
}

TEST_CASE("matcher: slots are counted per queue and overall", "[matcher]") {
  Matcher matcher;
  matcher.Park(Demand(1, 3));
  matcher.Park(Demand(2, 2, {Id(9)}));
  CHECK(matcher.TotalSlots() == 5);
  CHECK(matcher.SlotsFor(Id(9)) == 5);
  CHECK(matcher.SlotsFor(Id(8)) == 3);
}

TEST_CASE("matcher: a slot given back is taken again, a closed poll takes no more", "[matcher]") {
  Matcher matcher;
  matcher.Park(Demand(1, 1));
  REQUIRE(matcher.Take(Id(9)).has_value());
  matcher.GiveBack(1);
  CHECK(matcher.Take(Id(9)).has_value());
  matcher.GiveBack(1);
  matcher.Close(1);
  CHECK_FALSE(matcher.Take(Id(9)).has_value());
  CHECK(matcher.Leave(1));
  CHECK_FALSE(matcher.Leave(1));
}

}  // namespace
}  // namespace forebay::server
