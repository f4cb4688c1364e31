#include "server/schedule/interval.h"

#include "common/base/status.h"
#include "server/schedule/calendar.h"
#include "server/schedule/local_time.h"

namespace forebay::server {
namespace {

constexpr int64_t kDay = int64_t{24} * 60 * 60;

absl::Time NextSameLocalTime(const Interval& interval, absl::Time after) {
  const absl::CivilSecond latest = LatestLocal(interval.zone, after);
  int64_t fires = FloorDivide(latest - *interval.local_anchor, interval.seconds) + 1;
  // Civil seconds know no zone: a day has 86400 of them.
  absl::Time fire = InstantOf(interval.zone, *interval.local_anchor + fires * interval.seconds);
  while (fire <= after) {
    ++fires;
    fire = InstantOf(interval.zone, *interval.local_anchor + fires * interval.seconds);
  }
  return fire;
}

}  // namespace

absl::StatusOr<Interval> ParseInterval(absl::Duration every, absl::Time anchor,
                                       const absl::TimeZone& zone) {
  if (every < absl::Seconds(1) || every > kMostAnchorDistance ||
      every != absl::Trunc(every, absl::Seconds(1))) {
    const std::string shown = std::string(absl::FormatDuration(every));
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_INTERVAL")
        .Field("interval", shown)
        .With("allowed", "whole seconds, 1s to 36525 days")
        .Says("interval '{}' is not a whole number of seconds from 1 s to 36525 days", shown);
  }
  Interval interval{zone, WholeSecond(anchor), absl::ToInt64Seconds(every), std::nullopt};
  if (interval.seconds % kDay == 0) {
    interval.local_anchor = absl::ToCivilSecond(interval.anchor, zone);
  }
  return interval;
}

absl::Time NextIntervalFire(const Interval& interval, absl::Time after) {
  if (interval.local_anchor) return NextSameLocalTime(interval, after);
  const int64_t elapsed = absl::ToUnixSeconds(after) - absl::ToUnixSeconds(interval.anchor);
  const int64_t fires = FloorDivide(elapsed, interval.seconds) + 1;
  return interval.anchor + absl::Seconds(fires * interval.seconds);
}

}  // namespace forebay::server
