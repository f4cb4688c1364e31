#pragma once

// Beats of workers, in batches: renews leases and says which held attempts shall be stopped.
// Thread-safe.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/sync.h"
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
  Leases(const std::string& url, const Clock& clock);
  void Renew(Beat beat);
  // A poll is a sign of life. Nothing is written when the lease was renewed a moment ago, a small
  // part of its time: a busy worker polls many times a second. One that ended in that moment is
  // found out by the grant or by the next sign.
  void RenewForPoll(Beat beat);

 private:
  struct Renewal {
    // On Clock::Monotonic.
    absl::Duration at;
    absl::Duration lease_ttl;
  };
  void Flush(Session& session, std::vector<Beat> batch);
  void Remember(const std::vector<Beat>& batch, const std::map<Uuid, absl::Duration>& alive,
                absl::Duration at);

  const Clock& clock_;
  Mutex mutex_;
  absl::flat_hash_map<Uuid, Renewal> renewed_ GUARDED_BY(mutex_);
  absl::Duration next_sweep_ GUARDED_BY(mutex_) = absl::ZeroDuration();
  Batcher<Beat> batcher_;
};

// A worker's own words, as long as they are kept.
std::string ReasonText(const std::string& reason);

// How often a worker with this lease shall beat.
inline absl::Duration BeatInterval(absl::Duration lease_ttl) { return lease_ttl / 3; }

}  // namespace forebay::server
