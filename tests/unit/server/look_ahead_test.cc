#include "server/schedule/look_ahead.h"

#include "tests/support/catch.h"

namespace forebay::server {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

Timetable Every(absl::Duration every, std::optional<absl::Time> end = std::nullopt) {
  TimetableSpec spec;
  spec.rule = IntervalRule{every, kNow};
  spec.end = end;
  return *Timetable::Parse(spec, kNow - absl::Hours(1000));
}

TEST_CASE("look ahead: the next hour, at least three, at most a hundred", "[look_ahead]") {
  CHECK(PlanFires(Every(absl::Minutes(1)), {}, kNow, kNow).fires.size() == 60);
  CHECK(PlanFires(Every(absl::Hours(24)), {}, kNow, kNow).fires.size() == 3);
  CHECK(PlanFires(Every(absl::Seconds(1)), {}, kNow, kNow).fires.size() == 100);
}

TEST_CASE("look ahead: what was made is not made again, and the look comes in time",
          "[look_ahead]") {
  const Timetable timetable = Every(absl::Seconds(1));
  const LookAhead first = PlanFires(timetable, {}, kNow, kNow);
  REQUIRE(first.look_at.has_value());
  CHECK(*first.look_at < first.made_until);
  const LookAhead second = PlanFires(timetable, {}, first.made_until, *first.look_at);
  REQUIRE(!second.fires.empty());
  CHECK(second.fires.front() == first.made_until + absl::Seconds(1));
}

TEST_CASE("look ahead: an end is an end", "[look_ahead]") {
  const Timetable timetable = Every(absl::Hours(1), kNow + absl::Hours(2));
  const LookAhead plan = PlanFires(timetable, {}, kNow, kNow);
  CHECK(plan.fires.size() == 2);
  CHECK(!PlanFires(timetable, {}, plan.made_until, kNow + absl::Hours(3)).look_at.has_value());
}

TEST_CASE("look ahead: an outage is made up as the schedule wants", "[look_ahead]") {
  const Timetable timetable = Every(absl::Hours(1));
  const absl::Time away = kNow - absl::Hours(5);
  const auto behind = [&](const CatchUpRule& rule) {
    const LookAhead plan = PlanFires(timetable, rule, away, kNow);
    return std::count_if(plan.fires.begin(), plan.fires.end(),
                         [](absl::Time fire) { return fire <= kNow; });
  };
  CHECK(behind({CatchUp::kAll, std::nullopt}) == 5);
  CHECK(behind({CatchUp::kAll, absl::Hours(2)}) == 2);
  CHECK(behind({CatchUp::kLast, absl::Minutes(1)}) == 1);
  CHECK(behind({CatchUp::kSkip, absl::Minutes(1)}) == 1);
  CHECK(PlanFires(timetable, {CatchUp::kSkip, absl::Minutes(1)}, away, kNow + absl::Minutes(30))
            .fires.front() > kNow + absl::Minutes(30));
}

TEST_CASE("look ahead: a long outage is made up a thousand at a time", "[look_ahead]") {
  const Timetable timetable = Every(absl::Minutes(1));
  absl::Time made = kNow - absl::Hours(100);
  size_t total = 0;
  for (int looks = 0; looks < 10 && made < kNow; ++looks) {
    const LookAhead plan = PlanFires(timetable, {}, made, kNow);
    CHECK(plan.fires.size() <= 1060);
    total += static_cast<size_t>(std::count_if(plan.fires.begin(), plan.fires.end(),
                                               [](absl::Time fire) { return fire <= kNow; }));
    REQUIRE(plan.made_until > made);
    made = plan.made_until;
  }
  CHECK(total == 6000);
}

TEST_CASE("look ahead: the last fire of a schedule of seconds after a year", "[look_ahead]") {
  const LookAhead plan = PlanFires(Every(absl::Seconds(1)), {CatchUp::kLast, absl::Minutes(1)},
                                   kNow - absl::Hours(900), kNow);
  REQUIRE(!plan.fires.empty());
  CHECK(plan.fires.front() == kNow);
}

}  // namespace
}  // namespace forebay::server
