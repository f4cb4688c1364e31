#pragma once

// User keys, worker keys and join tokens in the database. All functions run on the caller's
// session; none keeps a secret: they return it once or see only its hash.

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/random.h"
#include "common/base/uuid.h"
#include "common/crypto/token.h"
#include "forebay/v1/token.pb.h"
#include "server/auth/caller.h"
#include "server/db/session.h"

namespace forebay::server {

struct NewCredential {
  TokenKind kind = TokenKind::kUser;
  std::string description;
  // User keys: viewer … admin.
  std::optional<std::string> role;
  // Worker keys and join tokens.
  std::optional<Uuid> pool;
  Uuid user;
  Uuid team;
  // Absent = does not expire.
  std::optional<absl::Duration> ttl;
};

struct IssuedCredential {
  Uuid id;
  // Shown once.
  std::string secret;
};

absl::StatusOr<IssuedCredential> IssueCredential(Session& session, UuidSource& ids, Random& random,
                                                 const NewCredential& wanted);
// The caller behind a user or worker key, or nothing when it is unknown, revoked or expired.
absl::StatusOr<std::optional<Caller>> FindCredential(Session& session, const std::string& hash);
// Turns a join token into a worker key; of two exchanges exactly one wins. UNAUTHENTICATED
// (JOIN_TOKEN_INVALID).
absl::StatusOr<IssuedCredential> ExchangeJoinToken(Session& session, UuidSource& ids,
                                                   Random& random, const std::string& join_token,
                                                   const std::string& description);
absl::StatusOr<std::vector<v1::Token>> ListCredentials(Session& session,
                                                       const std::optional<Uuid>& only,
                                                       const std::optional<Uuid>& after,
                                                       bool include_revoked, int limit);
// The hash of the revoked credential; nothing when there is none with this id.
absl::StatusOr<std::optional<std::string>> RevokeCredential(Session& session, const Uuid& id);

// The level that a role gives; ACCESS_UNSPECIFIED for an unknown role.
v1::Access LevelOfRole(std::string_view role);

}  // namespace forebay::server
