#pragma once

// Commands to workers: stop an attempt, drain. A command goes out on the worker's parked poll
// within milliseconds; when none is parked it goes out with the next one, and the worker's beat
// says the same in any case. Thread-safe.

#include "absl/container/flat_hash_set.h"
#include "common/base/sync.h"
#include "common/base/uuid.h"
#include "forebay/v1/worker_protocol.pb.h"
#include "server/claim/parking.h"
#include "server/db/executor.h"

namespace forebay::server {

class Commands {
 public:
  Commands(Executor& executor, Parking& parking) : executor_(executor), parking_(parking) {}

  // There may be a command for this worker: reads it and answers its poll.
  void Raise(const Uuid& worker);
  // A poll was parked: goes on with what could not be delivered before.
  void PollParked(const Uuid& worker);

 private:
  void Deliver(Session& session, const Uuid& worker);

  Executor& executor_;
  Parking& parking_;
  Mutex mutex_;
  // Workers with a command that found no parked poll.
  absl::flat_hash_set<Uuid> undelivered_ GUARDED_BY(mutex_);
};

}  // namespace forebay::server
