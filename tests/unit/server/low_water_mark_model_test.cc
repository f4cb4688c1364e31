// A model of a pool's queues beside the marks: runs with old and new due times, commits that come
// late, rows that others had locked, claims that are rolled back, entries that stay while a
// snapshot is held. However they mix, each run is found within the bound.

#include <algorithm>
#include <map>
#include <random>
#include <set>

#include "server/queue/low_water_mark.h"
#include "tests/support/catch.h"

namespace forebay::server {
namespace {

const absl::Time kMorning = absl::FromUnixSeconds(1'000'000);
constexpr absl::Duration kEntry = absl::Microseconds(1);
constexpr int kPage = 20;

// Due time, then run.
using Place = std::pair<absl::Time, int>;

struct Lane {
  Uuid id;
  // Of those that wait, since when they can be seen.
  std::map<Place, absl::Duration> waiting;
  std::set<Place> dead;
};

class Pool {
 public:
  explicit Pool(uint64_t seed) : engine_(seed) {
    for (uint8_t n = 0; n < 2; ++n) lanes_[n].id.bytes[15] = n;
  }

  bool Chance(int percent) { return Below(100) < percent; }
  int Below(int bound) { return static_cast<int>(engine_() % static_cast<uint64_t>(bound)); }
  void Hold(bool held) {
    held_ = held;
    if (held) return;
    for (Lane& lane : lanes_) lane.dead.clear();
  }
  void Pass(absl::Duration time) { now_ += time; }

  void Insert(absl::Duration age, absl::Duration until_seen) {
    const Place place{kMorning + now_ - age, ++runs_};
    lanes_[Below(2)].waiting[place] = now_ + until_seen;
    hints_.insert(now_ + until_seen);
  }

  // As the dispatcher: claims when something is said to be ready or it was told to come again.
  void Dispatch() {
    bool hinted = again_.has_value() && now_ >= *again_;
    while (!hints_.empty() && *hints_.begin() <= now_) {
      hints_.erase(hints_.begin());
      hinted = true;
    }
    while (hinted) hinted = Claim();
  }

  absl::Duration Bound() const {
    return std::min(dearest_ * LowWaterMarks::kRest, LowWaterMarks::kLongestRest);
  }
  absl::Duration slowest() const { return slowest_; }
  int from_marks() const { return from_marks_; }
  size_t waiting() const { return lanes_[0].waiting.size() + lanes_[1].waiting.size(); }
  absl::Duration now() const { return now_; }
  absl::Duration in_whole_walks() const { return in_whole_walks_; }

 private:
  using Found = std::vector<std::pair<Lane*, Place>>;

  void WalkLane(Lane& lane, QueueWalk& part, Found& found) {
    const Place from{part.from.value_or(absl::InfinitePast()), 0};
    auto at = lane.waiting.lower_bound(from);
    for (; at != lane.waiting.end() && found.size() < kPage; ++at) {
      if (at->second > now_) continue;
      if (part.found++ == 0) part.first = at->first.first;
      part.last = at->first.first;
      found.emplace_back(&lane, at->first);
    }
    const auto end =
        found.size() < kPage ? lane.dead.end() : lane.dead.upper_bound(found.back().second);
    for (auto dead = lane.dead.lower_bound(from); dead != end && dead != lane.dead.end(); ++dead)
      walked_ += kEntry;
  }

  // False when nothing more is to be claimed now.
  bool Claim() {
    ClaimWalk walk;
    walk.total = kPage;
    walk.as_of = kMorning + now_;
    Found found;
    walked_ = absl::Microseconds(100);
    bool whole = true;
    for (Lane& lane : lanes_) {
      walk.queues.push_back({lane.id, kPage, marks_.From(lane.id, now_)});
      whole &= !walk.queues.back().from.has_value();
      if (found.size() < kPage) WalkLane(lane, walk.queues.back(), found);
    }
    walk.took = walked_;
    now_ += walked_;
    dearest_ = std::max(dearest_, walked_);
    whole ? in_whole_walks_ += walked_ : (++from_marks_, absl::ZeroDuration());
    if (Chance(5)) return true;
    const bool left = Take(walk, found);
    marks_.Committed(walk, now_);
    again_.reset();
    if (left || found.size() == kPage) return true;
    if (const auto in = marks_.NextWholeWalkIn(walk, now_)) again_ = now_ + *in;
    return false;
  }

  bool Take(ClaimWalk& walk, const Found& found) {
    bool left = false;
    for (const auto& [lane, place] : found) {
      if (Chance(3)) {
        ++walk.queues[static_cast<size_t>(lane - lanes_)].left;
        left = true;
        continue;
      }
      slowest_ = std::max(slowest_, now_ - lane->waiting.at(place));
      lane->waiting.erase(place);
      if (held_) lane->dead.insert(place);
    }
    return left;
  }

  std::mt19937_64 engine_;
  LowWaterMarks marks_;
  Lane lanes_[2];
  std::multiset<absl::Duration> hints_;
  std::optional<absl::Duration> again_;
  absl::Duration now_ = absl::Seconds(1000);
  absl::Duration walked_;
  absl::Duration dearest_ = absl::ZeroDuration();
  absl::Duration slowest_ = absl::ZeroDuration();
  absl::Duration in_whole_walks_ = absl::ZeroDuration();
  int from_marks_ = 0;
  int runs_ = 0;
  bool held_ = false;
};

// What some of the runs wait for besides: a commit, the end of a lock.
absl::Duration UntilSeen(Pool& pool) {
  if (!pool.Chance(10)) return absl::ZeroDuration();
  return absl::Milliseconds(pool.Below(10'000));
}

TEST_CASE("low-water marks: however it comes, each run is claimed within the bound", "[queue]") {
  int from_marks = 0;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    Pool pool(seed);
    for (int step = 0; step < 1000; ++step) {
      if (pool.Chance(1)) pool.Hold(pool.Chance(80));
      for (int runs = pool.Below(2) * pool.Below(30); runs > 0; --runs) {
        const bool old = pool.Chance(5);
        pool.Insert(old ? absl::Milliseconds(pool.Below(60'000)) : absl::ZeroDuration(),
                    UntilSeen(pool));
      }
      pool.Dispatch();
      pool.Pass(absl::Milliseconds(pool.Below(20)));
    }
    for (int step = 0; step < 2000; ++step) {
      pool.Dispatch();
      pool.Pass(absl::Milliseconds(10));
    }
    INFO("seed " << seed);
    CHECK(pool.waiting() == 0);
    // The rest is the pace of the steps and of the claims of full pages.
    CHECK(pool.slowest() <= pool.Bound() + absl::Milliseconds(500));
    from_marks += pool.from_marks();
  }
  CHECK(from_marks > 1000);
}

TEST_CASE("low-water marks: walks from the beginning take no more than their share", "[queue]") {
  Pool pool(1);
  pool.Hold(true);
  const absl::Duration began = pool.now();
  for (int step = 0; step < 20'000; ++step) {
    for (int runs = 0; runs < 5; ++runs) pool.Insert(absl::ZeroDuration(), absl::ZeroDuration());
    pool.Dispatch();
    pool.Pass(absl::Milliseconds(5));
  }
  CHECK(pool.waiting() == 0);
  CHECK(pool.in_whole_walks() < (pool.now() - began) * 0.03);
}

}  // namespace
}  // namespace forebay::server
