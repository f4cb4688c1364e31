#pragma once

// What a committed transaction means to those who wait: raised after the commit, never inside.
//
// Implemented by the wiring in app.cc: the dispatcher, the watchers and the notifier to other
// servers. Thread-safe.

#include <vector>

#include "common/base/uuid.h"

namespace forebay::server {

class Signals {
 public:
  virtual ~Signals() = default;
  // Something in the pool may be grantable now: a new run, one that came back, a changed limit, a
  // resumed queue.
  virtual void WorkReady(const Uuid& pool) = 0;
  // Slots of the pool came free; of use to what waits already.
  virtual void SlotsFreed(const Uuid& pool) = 0;
  // The runs moved to another state, or their logs grew.
  virtual void RunsChanged(const std::vector<Uuid>& runs) = 0;
  // A stop is wanted for something that this worker holds.
  virtual void StopWanted(const Uuid& worker) = 0;
  // The pool's snapshot has a new revision.
  virtual void PoolChanged(const Uuid& pool) = 0;
};

}  // namespace forebay::server
