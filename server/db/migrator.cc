#include "server/db/migrator.h"

#include <iterator>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/crypto/sha256.h"
#include "server/db/migration.h"
#include "server/db/migrations.h"
#include "server/db/queries.h"

namespace forebay::server {
namespace {

absl::Status CheckDatabaseVersion(Session& session) {
  ASSIGN_OR_RETURN(Rows rows, session.RunText("SHOW server_version_num"));
  const int64_t version = rows.Int(0, 0);
  if (version >= 150000) return absl::OkStatus();
  return Error(absl::StatusCode::kFailedPrecondition, "DATABASE_TOO_OLD")
      .Field("database_url", std::to_string(version))
      .Says("the database is PostgreSQL {}; forebay-server needs 15 or newer", version / 10000);
}

absl::Status CheckApplied(const Rows& applied) {
  const int64_t latest = LatestSchemaVersion();
  for (size_t row = 0; row < applied.size(); ++row) {
    const int64_t version = applied.Int(row, 0);
    if (version > latest) {
      return Error(absl::StatusCode::kFailedPrecondition, "SCHEMA_TOO_NEW")
          .With("schema_version", std::to_string(version))
          .Says(
              "the database has schema version {}, this server knows up to {}; start a newer "
              "forebay-server",
              version, latest);
    }
    const Migration& known = kMigrations[version - 1];
    if (HexEncode(Sha256(known.sql)) != applied.Text(row, 1)) {
      return Error(absl::StatusCode::kFailedPrecondition, "MIGRATION_CHANGED")
          .With("schema_version", std::to_string(version))
          .Says("migration {} ({}) was applied from a different text than this server carries",
                version, known.name);
    }
  }
  return absl::OkStatus();
}

absl::Status Apply(Session& session, const Migration& migration) {
  return InTransaction(session, [&]() -> absl::Status {
    auto done = session.RunText(migration.sql);
    if (!done.ok()) return Annotate(done.status(), fmt::format("migration {}", migration.name));
    return session
        .Run(queries::kRecordMigration, Args()
                                            .Int(migration.version)
                                            .Text(migration.name)
                                            .Text(HexEncode(Sha256(migration.sql))))
        .status();
  });
}

absl::Status MigrateLocked(Session& session) {
  RETURN_IF_ERROR(
      session
          .RunText("CREATE TABLE IF NOT EXISTS schema_migrations (version integer PRIMARY KEY, "
                   "name text NOT NULL, checksum text NOT NULL, "
                   "applied_at timestamptz NOT NULL DEFAULT now())")
          .status());
  ASSIGN_OR_RETURN(Rows applied, session.Run(queries::kListMigrations, {}));
  RETURN_IF_ERROR(CheckApplied(applied));
  for (const Migration& migration : kMigrations) {
    if (static_cast<size_t>(migration.version) <= applied.size()) continue;
    RETURN_IF_ERROR(Apply(session, migration));
  }
  return absl::OkStatus();
}

}  // namespace

int LatestSchemaVersion() { return static_cast<int>(std::size(kMigrations)); }

absl::Status Migrate(Session& session) {
  RETURN_IF_ERROR(CheckDatabaseVersion(session));
  // "forebay" as the key of a session-level lock: the lock outlives the transactions of the
  // migrations.
  RETURN_IF_ERROR(session.RunText("SET client_min_messages = warning").status());
  RETURN_IF_ERROR(session.RunText("SELECT pg_advisory_lock(7378697629483820646)").status());
  const absl::Status status = MigrateLocked(session);
  session.Rollback();
  session.RunText("SELECT pg_advisory_unlock(7378697629483820646)").status().IgnoreError();
  return status;
}

}  // namespace forebay::server
