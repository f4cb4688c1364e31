#pragma once

// From the bearer token of a call to its Caller. Credentials are remembered for 3 s, so a
// revocation is effective on every server within 5 s and on the revoking one at once. Thread-safe.

#include <optional>
#include <string>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "common/base/clock.h"
#include "common/base/sync.h"
#include "server/auth/caller.h"
#include "server/db/executor.h"

namespace forebay::server {

class Authenticator {
 public:
  using Done = absl::AnyInvocable<void(absl::StatusOr<Caller>)>;

  Authenticator(Executor& executor, const Clock& clock) : executor_(executor), clock_(clock) {}

  // `authorization` is the header's value, empty if absent. Answers at once, on the caller's
  // thread, when the credential is remembered; else later, on a database thread. An absent header
  // is the anonymous caller; anything that is not a current credential is UNAUTHENTICATED
  // (CREDENTIAL_INVALID). Tickets and run tokens are checked for their form only: their attempt's
  // row decides (see Caller::token_hash).
  void Authenticate(std::string_view authorization, Done done);
  // Forgets a credential that was just revoked here.
  void Forget(const std::string& hash);

 private:
  struct Remembered {
    Caller caller;
    absl::Duration until;
  };
  std::optional<Caller> Recall(const std::string& hash);
  void Remember(const std::string& hash, const Caller& caller);

  Executor& executor_;
  const Clock& clock_;
  Mutex mutex_;
  absl::flat_hash_map<std::string, Remembered> remembered_ GUARDED_BY(mutex_);
};

}  // namespace forebay::server
