#pragma once

// Polls that wait, and the demand they stand for. One for all pools; thread-safe.
//
// A parked poll is answered exactly once: by a delivery, a command, a new pool snapshot, its
// deadline, or the client going away. While a slot of it is reserved for a grant under way, its
// deadline waits for the outcome.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "common/base/sync.h"
#include "forebay/v1/worker_protocol.pb.h"
#include "server/api/call.h"
#include "server/claim/matcher.h"

namespace forebay::server {

struct Poll {
  Uuid worker;
  Uuid pool;
  Uuid request;
  int free_slots = 0;
  int64_t pool_revision = 0;
  std::vector<Uuid> queues;
  // On Clock::Monotonic.
  absl::Duration deadline;
  std::optional<Responder<v1::PollResponse>> respond;
};

// One slot of a parked poll, set aside for a run.
struct Reservation {
  uint64_t poll = 0;
  Uuid worker;
  Uuid request;
};

class Parking {
 public:
  // Answers its id, for the hook of a client that goes away. A poll whose request id was granted
  // something that found no poll to go to is answered with it at once.
  uint64_t Park(Poll poll);
  // The client went away, or a newer poll of the worker took over.
  void Leave(uint64_t poll);
  // An earlier poll of the worker that still waits: its client has given it up.
  void ReplaceEarlier(const Uuid& worker);

  std::optional<Reservation> Reserve(const Uuid& pool, const Uuid& queue);
  void GiveBack(const Uuid& pool, const std::vector<Reservation>& reservations);
  // Gives the polls what they got. A poll is answered when no other grant for it is under way;
  // slots it had left go with the answer.
  struct Delivery {
    Reservation reservation;
    v1::Assignment assignment;
  };
  void Deliver(const Uuid& pool, std::vector<Delivery> deliveries);
  // Forgets what a delivery left for the worker.
  void DropUndelivered(const Uuid& worker);
  // Ends a poll with an error, e.g. because its worker's lease is over.
  void Fail(const Uuid& pool, uint64_t poll, const absl::Status& status);

  int TotalSlots(const Uuid& pool) const;
  int SlotsFor(const Uuid& pool, const Uuid& queue) const;
  std::vector<Uuid> PoolsWithDemand() const;
  size_t size() const;

  // Answers the worker's poll, if one waits, with a command. False if none waits.
  bool Command(const Uuid& worker, const v1::PollResponse& response);
  // Answers the pool's polls that know an older revision.
  void AnswerOutdated(const Uuid& pool, int64_t revision, const v1::PollResponse& response);
  // Answers polls past their deadline with nothing, and forgets what nobody asked for again;
  // answers the next deadline.
  std::optional<absl::Duration> Expire(absl::Duration now);
  // Answers all, at shutdown.
  void Clear(const absl::Status& status);

 private:
  struct Parked {
    Poll poll;
    // Slots set aside for grants under way; the answer waits for the last of them.
    int reserved = 0;
    v1::PollResponse granted;
  };
  struct Desk {
    Matcher matcher;
    std::map<uint64_t, Parked> polls;
  };
  using Answers =
      std::vector<std::pair<Responder<v1::PollResponse>, absl::StatusOr<v1::PollResponse>>>;
  static void Send(Answers& answers);

  void Insert(uint64_t id, Poll poll) REQUIRES(mutex_);
  // The parked poll that repeats the call which the reservation was made for.
  std::optional<uint64_t> StandIn(const Reservation& reservation) const REQUIRES(mutex_);
  void ForgetUndelivered(absl::Duration now) REQUIRES(mutex_);
  void LeaveFor(const Reservation& reservation, v1::Assignment assignment) REQUIRES(mutex_);
  // Takes the poll out.
  std::optional<Poll> Take(const Uuid& pool, uint64_t id) REQUIRES(mutex_);
  // One reservation of the poll is settled; answers it when that was the last and it got something.
  void Settle(const Uuid& pool, uint64_t id, Answers& answers) REQUIRES(mutex_);

  mutable Mutex mutex_;
  uint64_t next_id_ GUARDED_BY(mutex_) = 1;
  absl::flat_hash_map<Uuid, std::unique_ptr<Desk>> desks_ GUARDED_BY(mutex_);
  // Where a poll is parked, and the last poll of each worker.
  absl::flat_hash_map<uint64_t, Uuid> pool_of_ GUARDED_BY(mutex_);
  absl::flat_hash_map<Uuid, uint64_t> last_of_ GUARDED_BY(mutex_);
  std::multimap<absl::Duration, uint64_t> deadlines_ GUARDED_BY(mutex_);
  // Grants committed for a call that had gone by then, by worker: the call's repeat may have looked
  // before the commit. A worker that never asks again has lost them by `until`.
  struct Undelivered {
    Uuid request;
    v1::PollResponse granted;
    std::optional<absl::Duration> until;
  };
  absl::flat_hash_map<Uuid, Undelivered> undelivered_ GUARDED_BY(mutex_);
};

}  // namespace forebay::server
