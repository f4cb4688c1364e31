#include <fmt/format.h>

#include "server/schedule/look_ahead.h"
#include "tests/simulation/world.h"

namespace forebay::simulation {
namespace {

constexpr int64_t kBetween = 20;

absl::Time At(int64_t step) { return absl::UnixEpoch() + absl::Minutes(step); }
int64_t StepOf(absl::Time time) { return (time - absl::UnixEpoch()) / absl::Minutes(1); }

}  // namespace

// Two servers look; one of them may have slept since it took the duty, and writes nothing then.
void World::LookAtSchedule() {
  const bool sleeper = Pick(3) == 0;
  const int64_t fence = fence_;
  if (sleeper) ++fence_;
  const int64_t from = sleeper ? stale_made_until_ : made_until_;
  const server::LookAhead plan =
      server::PlanFires(timetable_, {server::CatchUp::kAll, std::nullopt}, At(from), At(now_));
  stale_made_until_ = made_until_;
  if (fence != fence_) return;
  for (const absl::Time fire : plan.fires) {
    const int64_t due = StepOf(fire);
    // Unique by (schedule, time): a second insert does nothing.
    if (!fired_.emplace(due, next_run_).second) {
      broken_ = fmt::format("the schedule fired twice at {}", due);
      return;
    }
    Enqueue(due);
  }
  made_until_ = StepOf(plan.made_until);
}

std::string World::CheckFires() const {
  int64_t expected = kBetween;
  for (const auto& [due, run] : fired_) {
    if (due != expected) return fmt::format("the schedule passed over {}", expected);
    expected += kBetween;
  }
  if (expected <= made_until_) return fmt::format("no run was made for {}", expected);
  return "";
}

}  // namespace forebay::simulation
