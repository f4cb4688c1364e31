#pragma once

// Beats of workers, in batches: renews leases and says which held attempts shall be stopped.
// Thread-safe.

#include <optional>
#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "forebay/v1/worker_protocol.pb.h"
#include "server/db/batcher.h"

namespace forebay::server {

struct BeatResult {
  absl::Duration lease_ttl;
  std::vector<v1::StopCommand> stops;
};

struct Beat {
  Uuid worker;
  // What the worker believes to hold.
  std::vector<v1::AttemptRef> held;
  // Why it cannot launch; empty: it can. Absent: nothing was said about it.
  std::optional<std::string> not_ready_reason;
  // NOT_FOUND (WORKER_UNKNOWN) when the lease is over for good.
  absl::AnyInvocable<void(absl::StatusOr<BeatResult>)> done;
};

class Leases {
 public:
  explicit Leases(const std::string& url);
  void Renew(Beat beat);

 private:
  void Flush(Session& session, std::vector<Beat> batch);
  Batcher<Beat> batcher_;
};

// A worker's own words, as long as they are kept.
std::string ReasonText(const std::string& reason);

// How often a worker with this lease shall beat.
inline absl::Duration BeatInterval(absl::Duration lease_ttl) { return lease_ttl / 3; }

}  // namespace forebay::server
