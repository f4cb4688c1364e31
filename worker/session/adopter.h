#pragma once

// Infrastructure that exists here and is in nobody's hands: left by an earlier process of this
// worker, or by an earlier registration of this one.

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "worker/launch/launcher.h"
#include "worker/session/server_api.h"
#include "worker/supervise/supervisor.h"

namespace forebay::worker {

// Of the session, called from its thread only.
class Adopter {
 public:
  Adopter(Launcher& launcher, Supervisor& supervisor, ServerApi& api)
      : launcher_(launcher), supervisor_(supervisor), api_(api) {}

  // Tells the server all that is seen and not supervised, and does what it says: takes it over,
  // removes it, or leaves it to a holder that still has a lease. Harmless to repeat. When to look
  // again, or the error of the call, after which part of it may be done.
  absl::StatusOr<absl::Duration> Round(const std::string& worker_id);

 private:
  absl::Status Ask(const std::string& worker_id, const std::vector<std::string>& names,
                   absl::Duration& again);
  void Heed(const std::string& name, const v1::Adoption& adoption, absl::Duration& again);

  Launcher& launcher_;
  Supervisor& supervisor_;
  ServerApi& api_;
};

}  // namespace forebay::worker
