#pragma once

// Where submissions wait a moment for a slot that is about to come free.
//
// A run that is granted by the transaction that accepts it costs a third less than one that is
// queued first and claimed then, and it starts when its submitter is answered. Under full load a
// slot is free a few milliseconds later than its run arrives. So a run whose queue has no free slot
// waits here, unacknowledged, while the queue moves so fast that its turn comes within kHorizon; it
// goes on when slots come, or after kLongest in any case. While runs wait in the queue itself, few
// are let pass first; of many, one goes on for every two that end, so that they become fewer. A
// queue that does not move that fast (long runs, no worker) keeps nobody here.
//
// Pure but for what it is given to ask; not thread-safe: Submitter holds its lock around it.

#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "server/submit/submit_request.h"
#include "server/submit/turnover.h"

namespace forebay::server {

class Lobby {
 public:
  static constexpr absl::Duration kHorizon = absl::Milliseconds(250);
  static constexpr absl::Duration kLongest = absl::Milliseconds(300);
  static constexpr size_t kMost = 10'000;

  struct Sight {
    // Slots of parked workers that serve the queue.
    std::function<int(const Uuid& pool, const Uuid& queue)> free_slots;
    std::function<Turnover::Outlook(const Uuid& queue)> outlook;
  };
  explicit Lobby(Sight sight) : sight_(std::move(sight)) {}

  // What need not wait, of the requests of one call, which keep their order among each other.
  std::vector<SubmitRequest> Enter(std::vector<SubmitRequest> requests, absl::Duration now);
  // What may go on now: slots of the pool have come free.
  std::vector<SubmitRequest> Release(const Uuid& pool);
  // What has waited long enough.
  std::vector<SubmitRequest> Expire(absl::Duration now);
  // All.
  std::vector<SubmitRequest> Empty();
  std::optional<absl::Duration> NextExpiry() const;
  size_t size() const { return waiting_; }

  // A request that went on has got its slot, or will get none: it no longer counts as about to take
  // one.
  void Seated(const Submission& submission);

 private:
  struct Waiting {
    SubmitRequest request;
    absl::Duration until;
  };
  struct Queue {
    Uuid pool;
    std::deque<Waiting> waiting;
    // Have gone on and are not seated yet.
    int64_t going = 0;
    // By the last look.
    int64_t ends_seen = 0;
  };
  int64_t FreeSlots(const Uuid& id, const Queue& queue) const;
  int64_t MayGoOn(const Uuid& id, Queue& queue) const;
  bool SlotComesSoon(const Uuid& id, const Queue& queue) const;
  void Pass(Queue& queue, SubmitRequest request, std::vector<SubmitRequest>& passed);
  void PassFirst(Queue& queue, std::vector<SubmitRequest>& passed);

  const Sight sight_;
  absl::flat_hash_map<Uuid, Queue> queues_;
  size_t waiting_ = 0;
};

}  // namespace forebay::server
