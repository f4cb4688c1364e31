#pragma once

// The way of a submission from the RPC to the submitter: names resolved from memory, requests
// checked, batches sent on.
//
// A deployment not in memory is read on a database thread first. When a deployment changed between
// check and write, the request is checked again against the new revision, a few times at most.
// Thread-safe; answers on any thread.

#include <functional>
#include <memory>
#include <vector>

#include "common/base/clock.h"
#include "common/base/random.h"
#include "forebay/v1/flow_run.pb.h"
#include "server/auth/caller.h"
#include "server/db/executor.h"
#include "server/store/snapshots.h"
#include "server/submit/submitter.h"

namespace forebay::server {

class Intake {
 public:
  Intake(Executor& executor, Snapshots& snapshots, Submitter& submitter, UuidSource& ids,
         Random& random)
      : executor_(executor),
        snapshots_(snapshots),
        submitter_(submitter),
        ids_(ids),
        random_(random) {}

  using Outcomes = std::vector<absl::StatusOr<Accepted>>;
  // As many outcomes as orders, in their order. `receipts`: each new run comes with its receipt.
  void Submit(const Caller& caller, std::vector<RunOrder> orders, bool receipts,
              std::function<void(Outcomes&)> done);

 private:
  struct Order;
  void Start(const std::shared_ptr<Order>& order);
  void Resolve(Session& session, const std::shared_ptr<Order>& order);
  void Send(const std::shared_ptr<Order>& order);
  void Settle(const std::shared_ptr<Order>& order, size_t index, absl::StatusOr<Accepted> outcome);

  Executor& executor_;
  Snapshots& snapshots_;
  Submitter& submitter_;
  UuidSource& ids_;
  Random& random_;
};

}  // namespace forebay::server
