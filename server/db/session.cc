#include "server/db/session.h"

#include <poll.h>
#include <charconv>

#include <cstdlib>
#include <unordered_set>

#include "common/base/status.h"
#include "common/base/text.h"
#include "server/db/pqxx_shim.h"
#include "server/db/queries.h"

namespace forebay::server {

// Each field is looked up once: libpqxx counts a reference for every row and field it hands out.
struct Rows::Impl {
  explicit Impl(pqxx::result answer);
  const std::string_view& at(size_t row, int column) const {
    return fields[row * columns + static_cast<size_t>(column)];
  }

  pqxx::result result;
  size_t columns = 0;
  // Without data where null. Of the result's own memory.
  std::vector<std::string_view> fields;
};

struct Session::Impl {
  std::string url;
  std::unique_ptr<pqxx::connection> connection;
  std::unique_ptr<pqxx::transaction_base> transaction;
  std::unordered_set<std::string> prepared;

  bool HungUp() const;
  void Connect();
  void Prepare(const Query& query);
};

namespace {

absl::Status Unavailable(std::string_view why) {
  return Error(absl::StatusCode::kUnavailable, "DATABASE_UNAVAILABLE")
      .Next("forebay server status")
      .Says("the server cannot reach its database: {}", Trim(why));
}

absl::Status FromSqlState(std::string_view state, std::string_view what) {
  const std::string text(Trim(what));
  if (state == "40001" || state == "40P01") {
    return Error(absl::StatusCode::kAborted, "DATABASE_CONFLICT")
        .Says("database conflict: {}", text);
  }
  if (state == "23505") {
    return Error(absl::StatusCode::kAlreadyExists, "UNIQUE_VIOLATION")
        .Says("already exists: {}", text);
  }
  if (state.substr(0, 2) == "23") {
    return Error(absl::StatusCode::kFailedPrecondition, "CONSTRAINT_VIOLATION")
        .Says("refused by the database: {}", text);
  }
  if (state == "53100") {
    return Error(absl::StatusCode::kResourceExhausted, "DATABASE_FULL")
        .Says("the database has no space left; free some, nothing was changed");
  }
  // Class 57: the server is shutting down, was crashed or cannot accept connections yet. 53300: too
  // many of them. 25P03: we slept in the middle of a transaction, and it was given up.
  const bool away = state.substr(0, 2) == "57" || state == "53300" || state == "25P03";
  if (away) return Unavailable(text);
  return Error(absl::StatusCode::kInternal, "DATABASE_ERROR")
      .Says("database error {}: {}", state, text);
}

// Runs `call` and turns what libpqxx throws into a status. `committing` says that a lost connection
// leaves the outcome unknown.
template <typename Call>
absl::Status Guard(Session& session, Call&& call) {
  try {
    call();
    return absl::OkStatus();
  } catch (const pqxx::in_doubt_error& error) {
    session.Disconnect();
    return Error(absl::StatusCode::kUnknown, "COMMIT_IN_DOUBT")
        .Says("the database went away during a commit: {}", Trim(error.what()));
  } catch (const pqxx::broken_connection& error) {
    session.Disconnect();
    return Unavailable(error.what());
  } catch (const pqxx::transaction_rollback& error) {
    // Serialization failures and deadlocks: libpqxx 6 does not count them among the SQL errors.
    return FromSqlState("40001", error.what());
  } catch (const pqxx::sql_error& error) {
    absl::Status status = FromSqlState(error.sqlstate(), error.what());
    if (status.code() == absl::StatusCode::kUnavailable) session.Disconnect();
    return status;
  } catch (const std::exception& error) {
    session.Disconnect();
    return Error(absl::StatusCode::kInternal, "DATABASE_ERROR")
        .Says("database error: {}", Trim(error.what()));
  }
}

}  // namespace

Rows::Rows(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

Rows::Impl::Impl(pqxx::result answer)
    : result(std::move(answer)), columns(static_cast<size_t>(result.columns())) {
  fields.reserve(static_cast<size_t>(result.size()) * columns);
  for (const auto& row : result) {
    for (const auto& field : row) {
      fields.push_back(field.is_null() ? std::string_view()
                                       : std::string_view(field.c_str(), field.size()));
    }
  }
}

size_t Rows::size() const { return static_cast<size_t>(impl_->result.size()); }
size_t Rows::affected() const { return static_cast<size_t>(impl_->result.affected_rows()); }

bool Rows::IsNull(size_t row, int column) const { return impl_->at(row, column).data() == nullptr; }

std::string_view Rows::Text(size_t row, int column) const { return impl_->at(row, column); }

int64_t Rows::Int(size_t row, int column) const { return ParseInt(Text(row, column)).value_or(0); }
double Rows::Double(size_t row, int column) const {
  // Not the locale's: PostgreSQL writes a point.
  double value = 0;
  const std::string_view text = Text(row, column);
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}
bool Rows::Bool(size_t row, int column) const { return Text(row, column) == "t"; }
Uuid Rows::Id(size_t row, int column) const {
  return Uuid::Parse(Text(row, column)).value_or(Uuid{});
}

absl::Time Rows::Time(size_t row, int column) const {
  return IsNull(row, column) ? absl::InfinitePast() : absl::FromUnixMicros(Int(row, column));
}

std::string Rows::Bytes(size_t row, int column) const {
  const std::string_view text = Text(row, column);
  return text.size() < 2 ? std::string() : HexDecode(text.substr(2)).value_or("");
}

std::optional<int64_t> Rows::OptionalInt(size_t row, int column) const {
  if (IsNull(row, column)) return std::nullopt;
  return Int(row, column);
}

std::optional<absl::Time> Rows::OptionalTime(size_t row, int column) const {
  if (IsNull(row, column)) return std::nullopt;
  return Time(row, column);
}

std::vector<std::string> Rows::TextArray(size_t row, int column) const {
  std::vector<std::string> values;
  const std::string_view text = Text(row, column);
  if (text.size() <= 2) return values;
  std::string value;
  bool quoted = false;
  for (size_t i = 1; i + 1 < text.size(); ++i) {
    const char c = text[i];
    if (c == '\\' && quoted) {
      value += text[++i];
    } else if (c == '"') {
      quoted = !quoted;
    } else if (c == ',' && !quoted) {
      values.push_back(std::exchange(value, ""));
    } else {
      value += c;
    }
  }
  values.push_back(std::move(value));
  return values;
}

// A database that stops says so on its idle connections and closes them. Whoever asks next shall
// get a new connection, not the news.
bool Session::Impl::HungUp() const {
  pollfd watched{connection->sock(), POLLIN, 0};
  return transaction == nullptr && ::poll(&watched, 1, 0) > 0;
}

void Session::Impl::Connect() {
  if (connection != nullptr && connection->is_open() && !HungUp()) return;
  transaction.reset();
  prepared.clear();
  connection = std::make_unique<pqxx::connection>(url);
  pqxx::nontransaction(*connection).exec(queries::kOpenSession.sql);
}

void Session::Impl::Prepare(const Query& query) {
  if (prepared.insert(query.name).second) pqxx_shim::Prepare(*connection, query.name, query.sql);
}

Session::Session(std::string url) : impl_(std::make_unique<Impl>()) { impl_->url = std::move(url); }
Session::~Session() { Disconnect(); }

// What `call` answers, in the open transaction or by itself.
template <typename Call>
absl::StatusOr<Rows> Session::Answer(Call&& call) {
  std::shared_ptr<Rows::Impl> rows;
  RETURN_IF_ERROR(Guard(*this, [&] {
    impl_->Connect();
    if (impl_->transaction != nullptr) {
      rows = std::make_shared<Rows::Impl>(call(*impl_->transaction));
      return;
    }
    pqxx::nontransaction tx(*impl_->connection);
    rows = std::make_shared<Rows::Impl>(call(tx));
  }));
  return Rows(std::move(rows));
}

absl::StatusOr<Rows> Session::Run(const Query& query, const Params& params) {
  return Answer([&](pqxx::transaction_base& tx) {
    impl_->Prepare(query);
    return pqxx_shim::RunPrepared(tx, query.name, params);
  });
}

absl::StatusOr<Rows> Session::RunBatch(const Query& query, const BinaryParams& params) {
  return Answer([&](pqxx::transaction_base& tx) {
    impl_->Prepare(query);
    return pqxx_shim::RunPreparedBinary(tx, query.name, params);
  });
}

absl::StatusOr<Rows> Session::RunText(const std::string& sql) {
  return Answer([&](pqxx::transaction_base& tx) { return tx.exec(sql); });
}

absl::Status Session::Begin() {
  return Guard(*this, [&] {
    impl_->Connect();
    impl_->transaction = std::make_unique<pqxx::work>(*impl_->connection);
  });
}

absl::Status Session::BeginSnapshot() {
  return Guard(*this, [&] {
    impl_->Connect();
    impl_->transaction = std::make_unique<pqxx_shim::Snapshot>(*impl_->connection);
  });
}

absl::Status Session::Commit() {
  absl::Status status = Guard(*this, [&] { impl_->transaction->commit(); });
  if (status.ok()) impl_->transaction.reset();
  return status;
}

void Session::Rollback() {
  // Ends by the destructor, which swallows what a dead connection throws.
  impl_->transaction.reset();
}

bool Session::InTransaction() const { return impl_->transaction != nullptr; }

void Session::Disconnect() {
  impl_->transaction.reset();
  impl_->connection.reset();
  impl_->prepared.clear();
}

}  // namespace forebay::server
