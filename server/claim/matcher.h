#pragma once

// Who gets what: parked demand of one pool meets ready runs. Pure, single-threaded; the caller
// holds the pool's lock.
//
// Demand is the free slots of parked polls. Runs are offered in the order in which they were
// claimed, which is the order in which they must start; each takes one slot. Polls are served first
// come, first served, except that a run goes to the poll that serves the fewest queues among those
// that take it, so that a narrow worker is not starved by a wide one.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "common/base/uuid.h"

namespace forebay::server {

struct ParkedDemand {
  uint64_t poll = 0;
  Uuid worker;
  Uuid request;
  int free_slots = 0;
  // Queue ids this worker serves; empty = all of the pool.
  std::vector<Uuid> queues;
};

class Matcher {
 public:
  void Park(ParkedDemand demand);
  // False when it is not parked (any more).
  bool Leave(uint64_t poll);
  bool empty() const { return parked_.empty(); }
  size_t size() const { return parked_.size(); }

  // Free slots of all parked polls.
  int TotalSlots() const;
  // Free slots of the polls that serve the queue.
  int SlotsFor(const Uuid& queue) const;

  // Takes one slot for a run of `queue`; nothing when nobody takes it. The poll stays parked with
  // one slot less.
  std::optional<ParkedDemand> Take(const Uuid& queue);
  // Gives a slot back: the grant did not come about.
  void GiveBack(uint64_t poll);
  // The poll takes no more: it is about to be answered.
  void Close(uint64_t poll);

 private:
  static bool Serves(const ParkedDemand& demand, const Uuid& queue);

  // By arrival.
  std::map<uint64_t, ParkedDemand> parked_;
};

}  // namespace forebay::server
