#pragma once

// How a queue moves, as far as this server sees it: what waits of what it queued, and how many
// attempts ended just now. From both the lobby knows whether a slot comes free in a moment. An
// estimate: other servers queue, claim and end as well. Thread-safe.

#include <cstdint>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "common/base/clock.h"
#include "common/base/sync.h"
#include "common/base/uuid.h"

namespace forebay::server {

class Turnover {
 public:
  // Ends are counted over so long.
  static constexpr absl::Duration kWindow = absl::Milliseconds(25);

  explicit Turnover(const Clock& clock) : clock_(clock) {}

  void Queued(const Uuid& queue, int64_t runs);
  void Claimed(const Uuid& queue, int64_t runs);
  // A claim found nothing more.
  void Drained(const Uuid& queue);
  // An attempt of each of these queues.
  void Ended(const std::vector<Uuid>& queues);

  struct Outlook {
    int64_t waiting = 0;
    // In a window: of late the most, so that a database that pauses does not look like a queue that
    // has come to rest.
    int64_t pace = 0;
    // Ever.
    int64_t ended = 0;
  };
  Outlook Of(const Uuid& queue) const;

 private:
  struct Queue {
    int64_t waiting = 0;
    int64_t ended = 0;
    // The window under way, and the pace before it.
    absl::Duration began = -absl::InfiniteDuration();
    int64_t ended_in_window = 0;
    int64_t pace = 0;
  };
  static void Advance(Queue& queue, absl::Duration now);

  const Clock& clock_;
  mutable Mutex mutex_;
  absl::flat_hash_map<Uuid, Queue> queues_ GUARDED_BY(mutex_);
};

}  // namespace forebay::server
