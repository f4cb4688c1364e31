#pragma once

// One connection to PostgreSQL. The only place that knows libpqxx; no exception leaves it.
//
// Not thread-safe: a session belongs to one thread at a time (see executor.h, batcher.h). It
// connects on first use and again after a loss; statements are prepared once per connection.
//
// Errors: UNAVAILABLE (DATABASE_UNAVAILABLE) when the connection is or goes away; ABORTED
// (DATABASE_CONFLICT) for serialization failures and deadlocks; ALREADY_EXISTS (UNIQUE_VIOLATION,
// metadata `constraint`); FAILED_PRECONDITION (CONSTRAINT_VIOLATION); RESOURCE_EXHAUSTED
// (DATABASE_FULL); UNKNOWN (COMMIT_IN_DOUBT) when the connection was lost during a commit, so that
// nobody knows what became of it; INTERNAL (DATABASE_ERROR) else. After an error inside a
// transaction only Rollback is of use.

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/uuid.h"
#include "server/db/columns.h"
#include "server/db/params.h"
#include "server/db/query.h"

namespace forebay::server {

// The rows of one answer. Columns are read by position. Views live as long as this value.
class Rows {
 public:
  struct Impl;
  explicit Rows(std::shared_ptr<const Impl> impl);

  size_t size() const;
  bool empty() const { return size() == 0; }
  bool IsNull(size_t row, int column) const;
  // Null reads as empty, 0, false, the zero id or the infinite past.
  std::string_view Text(size_t row, int column) const;
  int64_t Int(size_t row, int column) const;
  double Double(size_t row, int column) const;
  bool Bool(size_t row, int column) const;
  Uuid Id(size_t row, int column) const;
  // A column made by micros().
  absl::Time Time(size_t row, int column) const;
  std::string Bytes(size_t row, int column) const;
  std::optional<int64_t> OptionalInt(size_t row, int column) const;
  std::optional<absl::Time> OptionalTime(size_t row, int column) const;
  // A text[] column, elements without NULL.
  std::vector<std::string> TextArray(size_t row, int column) const;
  size_t affected() const;

 private:
  std::shared_ptr<const Impl> impl_;
};

class Session {
 public:
  explicit Session(std::string url);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Runs a named statement, prepared; by itself, or inside the open transaction.
  absl::StatusOr<Rows> Run(const Query& query, const Params& params);
  absl::StatusOr<Rows> RunBatch(const Query& query, const BinaryParams& params);
  // Runs text that is not a named statement: migrations, LISTEN, settings.
  absl::StatusOr<Rows> RunText(const std::string& sql);

  absl::Status Begin();
  // Begins a transaction that only reads, and all of whose statements see the same moment.
  absl::Status BeginSnapshot();
  absl::Status Commit();
  void Rollback();
  bool InTransaction() const;

  // Drops the connection; the next use connects anew.
  void Disconnect();

 private:
  struct Impl;
  template <typename Call>
  absl::StatusOr<Rows> Answer(Call&& call);
  std::unique_ptr<Impl> impl_;
};

// Runs `body` in one transaction: commits when it answers OK, else rolls back. Repeats the whole up
// to three times on ABORTED; `body` must therefore have no effect outside the transaction.
template <typename Body>
absl::Status InTransaction(Session& session, Body&& body) {
  absl::Status status;
  for (int tries = 0; tries < 3; ++tries) {
    status = session.Begin();
    if (!status.ok()) return status;
    status = body();
    if (status.ok()) status = session.Commit();
    if (status.ok()) return status;
    session.Rollback();
    if (status.code() != absl::StatusCode::kAborted) return status;
  }
  return status;
}

}  // namespace forebay::server
