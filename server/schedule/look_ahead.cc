#include "server/schedule/look_ahead.h"

#include <algorithm>

namespace forebay::server {
namespace {

constexpr absl::Duration kAhead = absl::Hours(1);
constexpr size_t kLeast = 3;
constexpr size_t kMost = 100;
constexpr size_t kMostBehind = 1000;
constexpr absl::Duration kLookAgain = absl::Minutes(30);

// The last fire in (after, until]. Looks back step by step, so that a schedule of seconds that was
// away for a year is not walked through.
std::optional<absl::Time> LastFire(const Timetable& timetable, absl::Time after, absl::Time until) {
  for (const absl::Duration back : {absl::Minutes(1), absl::Hours(1), absl::Hours(24 * 31)}) {
    const auto fires = timetable.FiresBetween(std::max(after, until - back), until, 1'000'000);
    if (!fires.empty()) return fires.back();
    if (until - back <= after) return std::nullopt;
  }
  const auto fires = timetable.FiresBetween(after, until, 1'000'000);
  return fires.empty() ? std::nullopt : std::optional(fires.back());
}

// Fires of the past that get a run, and up to where that settles them.
void MakeUp(const Timetable& timetable, const CatchUpRule& rule, absl::Time from, absl::Time now,
            LookAhead& plan) {
  plan.made_until = now;
  if (rule.kind == CatchUp::kLast) {
    if (const auto last = LastFire(timetable, from, now)) plan.fires.push_back(*last);
    return;
  }
  const absl::Time after = rule.window.has_value() ? std::max(from, now - *rule.window) : from;
  plan.fires = timetable.FiresBetween(after, now, kMostBehind);
  if (plan.fires.size() == kMostBehind) plan.made_until = plan.fires.back();
}

}  // namespace

LookAhead PlanFires(const Timetable& timetable, const CatchUpRule& rule, absl::Time made_until,
                    absl::Time now) {
  LookAhead plan;
  plan.made_until = made_until;
  if (made_until < now) MakeUp(timetable, rule, made_until, now, plan);
  if (plan.made_until < now) {
    plan.look_at = now;
    return plan;
  }
  // From now on, those that have their runs included: they count for how far ahead it is.
  std::vector<absl::Time> ahead = timetable.FiresBetween(now, absl::InfiniteFuture(), kMost);
  const auto beyond = std::upper_bound(ahead.begin(), ahead.end(), now + kAhead);
  const auto keep = std::max(static_cast<size_t>(beyond - ahead.begin()), kLeast);
  ahead.resize(std::min(ahead.size(), keep));
  if (ahead.empty()) return plan;
  for (const absl::Time fire : ahead) {
    if (fire > plan.made_until) plan.fires.push_back(fire);
  }
  plan.made_until = std::max(plan.made_until, ahead.back());
  plan.look_at = std::min(ahead[ahead.size() / 2], now + kLookAgain);
  return plan;
}

}  // namespace forebay::server
