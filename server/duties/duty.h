#pragma once

// Background work that one server does for all: each duty under a fenced lease of its own.
//
// A duty's write carries its fence: the transaction locks the lease row as ours, so an owner that
// was paused and wakes up writes nothing.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/uuid.h"
#include "server/db/session.h"

namespace forebay::server {

// What a duty may know of its own tenure.
struct Tenure {
  std::string duty;
  Uuid holder;
  int64_t fence = 0;
  // Since when this server holds the duty and has reached the database without a break.
  absl::Duration undisturbed;

  // In the caller's transaction: OK while the duty is ours, ABORTED (DUTY_LOST) else.
  absl::Status Check(Session& session) const;
  // Runs `body` in a transaction that writes only while the duty is ours. As InTransaction: `body`
  // may be run again.
  template <typename Body>
  absl::Status Transact(Session& session, Body&& body) const {
    return InTransaction(session, [&]() -> absl::Status {
      const absl::Status ours = Check(session);
      return ours.ok() ? body() : ours;
    });
  }
};

class Duty {
 public:
  virtual ~Duty() = default;
  virtual std::string name() const = 0;
  virtual absl::Duration interval() const = 0;
  // Called by the duty runner's thread while the lease is held.
  virtual absl::Status RunOnce(Session& session, const Tenure& tenure) = 0;
};

}  // namespace forebay::server
