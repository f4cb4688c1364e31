#pragma once

// Brings a database to this binary's schema. Called once at start, before anything else touches the
// database; several servers may call it at the same time (an advisory lock orders them). Each
// migration is one transaction.
//
// FAILED_PRECONDITION: SCHEMA_TOO_NEW (a newer server has migrated it), MIGRATION_CHANGED (an
// applied migration differs from this binary's), DATABASE_TOO_OLD (PostgreSQL below 15). Nothing is
// changed then.

#include "absl/status/status.h"
#include "server/db/session.h"

namespace forebay::server {

absl::Status Migrate(Session& session);
// The version that Migrate reaches.
int LatestSchemaVersion();

}  // namespace forebay::server
