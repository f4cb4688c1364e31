#pragma once

#include <string>

#include "absl/status/status.h"
#include "common/base/random.h"
#include "common/base/uuid.h"
#include "server/db/session.h"

namespace forebay::server {

// Makes an admin key when the database has none, or none that is not revoked, and writes it to
// <data_dir>/admin.key (0600). Called once at start; of several servers starting on one database
// one makes the key.
absl::Status EnsureFirstKey(Session& session, UuidSource& ids, Random& random,
                            const std::string& data_dir);

}  // namespace forebay::server
