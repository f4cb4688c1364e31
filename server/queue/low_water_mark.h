#pragma once

// Where the next claim of a queue may begin, so that it does not walk again what was claimed
// before. Pure: time comes in, nothing is asked for.
//
// A claim reads its queue in the order (due time, run). Entries of claimed runs stand at the head
// of that order until PostgreSQL may take them away, and while any snapshot is held open in the
// database (a backup, a long report) it may not: each claim then walks all that was claimed since.
// A mark is the due time up to which a queue has been claimed; a claim from there walks none of it.
//
// Below a mark runs may appear: a retry that keeps its place, a run that was blocked or that
// another transaction had locked, one whose insert was committed late. So
//
// - marks are used only once two walks from the beginning in a row were dear, and only if the first
//   claim from a mark shows that it saves half of that. Without them the order is strict;
// - while they are used, a walk from the beginning is made again when kRest times its cost has
//   passed since the last one, or kLongestRest: a run waits below the mark no longer than that;
// - a mark stays kOverlap behind the database's clock, so a run whose insert takes its time to
//   commit is not below it.
//
// Not thread-safe. Each `now` is of one monotonic clock; due times and `as_of` are the database's.

#include <algorithm>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "common/base/uuid.h"

namespace forebay::server {

// A queue's part in one claim.
struct QueueWalk {
  Uuid queue;
  // Most it was to give.
  int most = 0;
  // The mark from which it was walked; none: from the beginning.
  std::optional<absl::Time> from;
  // Runs found, and how many of them still wait, for want of a slot or a worker.
  int found = 0;
  int left = 0;
  // Due times of the first and the last run found.
  absl::Time first = absl::InfinitePast();
  absl::Time last = absl::InfinitePast();
};

// One claim, its queues in the order in which they were walked.
struct ClaimWalk {
  std::vector<QueueWalk> queues;
  // Most it was to find over all queues.
  int total = 0;
  // The database's time, before the walk.
  absl::Time as_of;
  absl::Duration took;
};

class LowWaterMarks {
 public:
  // A walk from the beginning is dear when it costs more than this; its cost is the time it took
  // without so much for each run found.
  static constexpr absl::Duration kDear = absl::Milliseconds(1);
  static constexpr absl::Duration kPerRun = absl::Microseconds(20);
  // Bounds the share of the time that goes into walks from the beginning: 2 %.
  static constexpr int kRest = 50;
  static constexpr absl::Duration kLongestRest = absl::Seconds(10);
  static constexpr absl::Duration kOverlap = absl::Milliseconds(500);

  // From where a claim walks the queue; none: from the beginning.
  std::optional<absl::Time> From(const Uuid& queue, absl::Duration now) const;
  // The marks that stand for what they were before, whether a walk from the beginning is due or
  // not: for who only asks whether anything waits.
  struct Place {
    Uuid queue;
    absl::Time from;
  };
  std::vector<Place> InUse() const;
  // What a claim did. Only once it is committed: runs given back would be left below the mark.
  void Committed(const ClaimWalk& walk, absl::Duration now);
  // Asked after Committed: how long until a queue that this claim walked from a mark is to be
  // walked from the beginning; none: there is no such queue.
  std::optional<absl::Duration> NextWholeWalkIn(const ClaimWalk& walk, absl::Duration now) const;

 private:
  enum class Use {
    // One walk was dear.
    kNotYet,
    // Several were; what a claim from the mark costs is not known.
    kTried,
    kUsed,
    // A claim from the mark was as dear. Tried again after a rest.
    kNoHelp,
  };
  // Of a queue whose last walk from the beginning was dear; others have none.
  struct Mark {
    absl::Time at;
    // Of the last walk from the beginning, and when it was; with kNoHelp, when that was found.
    absl::Duration cost;
    absl::Duration since;
    Use use = Use::kNotYet;
    bool Rested(absl::Duration now) const { return now >= since + Rest(); }
    absl::Duration Rest() const { return std::min(cost * kRest, kLongestRest); }
  };
  void WalkedWhole(const QueueWalk& queue, absl::Time end, absl::Duration cost, absl::Duration now);
  void WalkedFromMark(const Uuid& queue, absl::Time end, std::optional<absl::Duration> cost,
                      absl::Duration now);

  absl::flat_hash_map<Uuid, Mark> marks_;
};

}  // namespace forebay::server
