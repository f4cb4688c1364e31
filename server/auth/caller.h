#pragma once

// Who calls. Made by the authenticator, passed to every handler. A plain value.

#include <string>

#include "absl/status/status.h"
#include "common/base/uuid.h"
#include "forebay/v1/options.pb.h"

namespace forebay::server {

enum class CallerKind { kAnonymous, kUser, kWorker, kRun };

struct Caller {
  CallerKind kind = CallerKind::kAnonymous;
  // Human level of a user key; ACCESS_UNSPECIFIED else.
  v1::Access level = v1::ACCESS_UNSPECIFIED;
  Uuid credential;
  Uuid user;
  std::string user_name;
  Uuid team;
  // The pool that a worker key is bound to.
  Uuid pool;
  // SHA-256 of a ticket or run token: the handler compares it with its attempt's row.
  std::string token_hash;
};

// Whether `caller` reaches a method of this access. UNAUTHENTICATED (CREDENTIAL_MISSING) for the
// anonymous, PERMISSION_DENIED (ACCESS_DENIED) for the others. A method without an access is
// reached by nobody.
absl::Status CheckAccess(const Caller& caller, v1::Access access);

}  // namespace forebay::server
