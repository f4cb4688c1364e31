#pragma once

// Facts about attempts on their way to the server: in order, all of them, as many in a call as have
// come together while the last call was under way.

#include <cstdint>
#include <deque>
#include <functional>
#include <thread>
#include <vector>

#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/base/sync.h"
#include "forebay/v1/worker_protocol.pb.h"
#include "worker/session/registration.h"
#include "worker/session/server_api.h"

namespace forebay::worker {

// One call at a time, from a thread of its own; a call whose outcome is not known is made again,
// which the server makes harmless. Holds a few reports an attempt. Thread-safe.
class Outbox {
 public:
  // Called from the thread, without locks, for each report that was answered.
  using Answered = std::function<void(const v1::AttemptReport&, const v1::ReportResult&)>;

  Outbox(ServerApi& api, Registration& registration, const Clock& clock, Random& random,
         Answered answered);
  ~Outbox() { Shut(); }
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;
  // Ends the thread; calls do nothing more after that. End the registration first. Idempotent.
  void Shut();

  // Stamps the report with the time. `can_wait`: it may travel with what follows shortly.
  void Add(v1::AttemptReport report, bool can_wait);
  // Drops what has not been answered, of one attempt under one epoch or of all.
  void Forget(const v1::AttemptRef& attempt);
  void Clear();
  bool empty();

 private:
  struct Item {
    uint64_t number = 0;
    v1::AttemptReport report;
    // Not sent alone before this.
    absl::Duration not_before;
  };

  void Send();
  // Waits for something to send; empty when the registration has ended.
  std::vector<Item> NextBatch();
  void Deliver(const std::vector<Item>& batch, const v1::ReportAttemptsResponse& response);
  void Failed(const std::string& worker, const absl::Status& error);

  ServerApi& api_;
  Registration& registration_;
  const Clock& clock_;
  const Answered answered_;
  Backoff backoff_;
  Mutex mutex_;
  CondVar changed_;
  bool ending_ GUARDED_BY(mutex_) = false;
  uint64_t last_number_ GUARDED_BY(mutex_) = 0;
  std::deque<Item> items_ GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace forebay::worker
