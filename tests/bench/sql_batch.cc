#include "tests/bench/sql_batch.h"

#include <fmt/format.h>

#include <cstdlib>
#include <iostream>

#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/text.h"
#include "common/base/uuid.h"
#include "tests/bench/statements.h"

namespace forebay::bench {
namespace {

namespace queries = server::queries;

constexpr server::Query kUsed[] = {queries::kInsertRuns, queries::kClaimCandidates,
                                   queries::kGrantAttempts, queries::kAdvanceAttempts,
                                   queries::kEndAttempts};

std::string Array(const std::vector<std::string>& values) { return "{" + Join(values, ",") + "}"; }

// An array of one value, many times.
std::string Same(std::string_view value, size_t count) {
  return Array(std::vector<std::string>(count, std::string(value)));
}

std::string FreshUuid() { return UuidSource(SystemClock(), SystemRandom()).Next().ToString(); }

// A bytea of 32 bytes as it stands in an array literal.
std::string FreshHash() { return "\"\\\\x" + HexEncode(SystemRandom().Bytes(32)) + "\""; }

[[noreturn]] void Fail(PGconn* connection, const char* where) {
  std::cerr << where << ": " << PQerrorMessage(connection) << std::endl;
  std::exit(1);
}

}  // namespace

SqlBatch::SqlBatch(const std::string& database_url, Target target)
    : connection_(PQconnectdb(database_url.c_str())), target_(std::move(target)) {
  if (PQstatus(connection_) != CONNECTION_OK) Fail(connection_, "connect");
  for (const server::Query& query : kUsed) {
    PGresult* result = PQprepare(connection_, query.name, query.sql, 0, nullptr);
    if (PQresultStatus(result) != PGRES_COMMAND_OK) Fail(connection_, query.name);
    PQclear(result);
  }
}

SqlBatch::~SqlBatch() { PQfinish(connection_); }

void SqlBatch::RunLifecycles(int count) {
  std::vector<std::string> runs;
  for (int i = 0; i < count; ++i) runs.push_back(FreshUuid());
  Submit(runs);
  Grant(count);
  Start(runs);
  End(runs);
}

void SqlBatch::Submit(const std::vector<std::string>& runs) {
  const size_t n = runs.size();
  const int64_t now = absl::ToUnixMicros(SystemClock().Now());
  Execute("insert_runs",
          {Array(runs), Same(target_.team, n), Same(target_.user, n), Same(target_.deployment, n),
           Same(target_.pool, n), Same(target_.queue, n), Same("calm-otter", n), Same("\"{}\"", n),
           Same("\"{}\"", n), Same("\"{}\"", n), Same(std::to_string(now), n), Same("false", n),
           Same("NULL", n), Same("NULL", n), Same("NULL", n), Same("30000", n), Same("false", n),
           Same("NULL", n), Same("NULL", n)});
}

void SqlBatch::Grant(int count) {
  Command("BEGIN");
  const Params params = {Array({target_.queue}), Array({std::to_string(count)}),
                         std::to_string(count)};
  std::vector<const char*> values;
  for (const std::string& param : params) values.push_back(param.c_str());
  PGresult* result =
      PQexecPrepared(connection_, "claim_candidates", static_cast<int>(values.size()),
                     values.data(), nullptr, nullptr, 0);
  if (PQresultStatus(result) != PGRES_TUPLES_OK) Fail(connection_, "claim_candidates");
  std::vector<std::string> runs;
  std::vector<std::string> hashes;
  for (int i = 0; i < PQntuples(result); ++i) {
    runs.emplace_back(PQgetvalue(result, i, 0));
    hashes.push_back(FreshHash());
  }
  PQclear(result);
  const size_t n = runs.size();
  Execute("grant_attempts", {Array(runs), Same(target_.worker, n), Same(FreshUuid(), n),
                             Array(hashes), "30000", Same("NULL", n)});
  Command("COMMIT");
}

void SqlBatch::Start(const std::vector<std::string>& runs) {
  const size_t n = runs.size();
  std::vector<std::string> names;
  for (const std::string& run : runs) names.push_back("forebay-" + run + "-1");
  Execute("advance_attempts", {Array(runs), Same("3", n), Array(names), Same("NULL", n),
                               Same("NULL", n), Same("true", n), Same("NULL", n), Same("\"\"", n)});
}

void SqlBatch::End(const std::vector<std::string>& runs) {
  const size_t n = runs.size();
  const std::string none = Same("NULL", n);
  const std::string nought = Same("0", n);
  Execute("end_attempts",
          {Array(runs), Same("COMPLETED", n), Same("\"\"", n), Same("\"\"", n), nought, none, none,
           none, Same("false", n), nought, nought, nought, nought, Same("false", n)});
}

void SqlBatch::Execute(const char* name, const Params& params) {
  std::vector<const char*> values;
  for (const std::string& param : params) values.push_back(param.c_str());
  PGresult* result = PQexecPrepared(connection_, name, static_cast<int>(values.size()),
                                    values.data(), nullptr, nullptr, 0);
  const ExecStatusType status = PQresultStatus(result);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) Fail(connection_, name);
  PQclear(result);
}

void SqlBatch::Command(const char* sql) {
  PGresult* result = PQexec(connection_, sql);
  if (PQresultStatus(result) != PGRES_COMMAND_OK) Fail(connection_, sql);
  PQclear(result);
}

}  // namespace forebay::bench
