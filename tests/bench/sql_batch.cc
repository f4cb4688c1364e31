#include "tests/bench/sql_batch.h"

#include <fmt/format.h>

#include <cstdlib>
#include <iostream>

#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/uuid.h"
#include "tests/bench/statements.h"

namespace forebay::bench {
namespace {

namespace queries = server::queries;
using server::BigIntColumn;
using server::BoolColumn;
using server::BytesColumn;
using server::IdColumn;
using server::IntColumn;
using server::SmallIntColumn;
using server::TextColumn;

constexpr server::Query kUsed[] = {queries::kInsertRuns, queries::kClaimCandidates,
                                   queries::kGrantAttempts, queries::kAdvanceAttempts,
                                   queries::kEndAttempts};

// A column of one value, many times.
template <typename ColumnOf, typename Value>
std::string Same(const Value& value, size_t count) {
  ColumnOf column;
  for (size_t i = 0; i < count; ++i) column.Add(value);
  return column.Take();
}

template <typename ColumnOf>
std::string Nulls(size_t count) {
  ColumnOf column;
  for (size_t i = 0; i < count; ++i) column.Null();
  return column.Take();
}

Uuid FreshUuid() { return UuidSource(SystemClock(), SystemRandom()).Next(); }

[[noreturn]] void Fail(PGconn* connection, const char* where) {
  std::cerr << where << ": " << PQerrorMessage(connection) << std::endl;
  std::exit(1);
}

}  // namespace

SqlBatch::SqlBatch(const std::string& database_url, Target target)
    : connection_(PQconnectdb(database_url.c_str())), target_(std::move(target)) {
  if (PQstatus(connection_) != CONNECTION_OK) Fail(connection_, "connect");
  Command(queries::kOpenSession.sql);
  for (const server::Query& query : kUsed) {
    PGresult* result = PQprepare(connection_, query.name, query.sql, 0, nullptr);
    if (PQresultStatus(result) != PGRES_COMMAND_OK) Fail(connection_, query.name);
    PQclear(result);
  }
}

SqlBatch::~SqlBatch() { PQfinish(connection_); }

void SqlBatch::RunLifecycles(int count) {
  std::vector<Uuid> runs;
  for (int i = 0; i < count; ++i) runs.push_back(FreshUuid());
  Submit(runs);
  Grant(count);
  Start(runs);
  End(runs);
}

void SqlBatch::Submit(const std::vector<Uuid>& runs) {
  const size_t n = runs.size();
  const int64_t now = absl::ToUnixMicros(SystemClock().Now());
  Execute(
      "insert_runs",
      {server::BinaryIds(runs), Same<IdColumn>(target_.team, n), Same<IdColumn>(target_.user, n),
       Same<IdColumn>(target_.deployment, n), Same<IdColumn>(target_.pool, n),
       Same<IdColumn>(target_.queue, n), Same<TextColumn>("calm-otter", n),
       Same<TextColumn>(target_.parameters, n), Same<TextColumn>("{}", n),
       Same<TextColumn>("{}", n), Same<BigIntColumn>(now, n), Same<BoolColumn>(false, n),
       Nulls<IdColumn>(n), Nulls<IdColumn>(n), Nulls<BytesColumn>(n), Same<IntColumn>(30000, n),
       Same<BoolColumn>(false, n), Nulls<IdColumn>(n), Nulls<IdColumn>(n)});
}

void SqlBatch::Grant(int count) {
  Command("BEGIN");
  IntColumn most;
  most.Add(count);
  PGresult* result =
      Answer("claim_candidates", {server::BinaryIds({&target_.queue, 1}), most.Take(),
                                  server::BinaryInt(count), Nulls<BigIntColumn>(1)});
  std::vector<Uuid> runs;
  BytesColumn hashes;
  for (int i = 0; i < PQntuples(result); ++i) {
    runs.push_back(*Uuid::Parse(PQgetvalue(result, i, 0)));
    hashes.Add(SystemRandom().Bytes(32));
  }
  PQclear(result);
  const size_t n = runs.size();
  Execute("grant_attempts", {server::BinaryIds(runs), Same<IdColumn>(target_.worker, n),
                             Same<IdColumn>(FreshUuid(), n), hashes.Take(),
                             server::BinaryInt(30000), Nulls<TextColumn>(n)});
  Command("COMMIT");
}

void SqlBatch::Start(const std::vector<Uuid>& runs) {
  const size_t n = runs.size();
  TextColumn names;
  for (const Uuid& run : runs) names.Add("forebay-" + run.ToString() + "-1");
  Execute("advance_attempts",
          {server::BinaryIds(runs), Same<SmallIntColumn>(3, n), names.Take(), Nulls<TextColumn>(n),
           Nulls<BytesColumn>(n), Same<BoolColumn>(true, n), Nulls<TextColumn>(n),
           Same<TextColumn>("", n), Nulls<BigIntColumn>(n), Nulls<IdColumn>(n),
           Nulls<SmallIntColumn>(n), Nulls<BytesColumn>(n), Nulls<BigIntColumn>(n)});
}

void SqlBatch::End(const std::vector<Uuid>& runs) {
  const size_t n = runs.size();
  Execute("end_attempts", {server::BinaryIds(runs),    Same<TextColumn>("COMPLETED", n),
                           Same<TextColumn>("", n),    Same<TextColumn>("", n),
                           Same<IntColumn>(0, n),      Nulls<BigIntColumn>(n),
                           Nulls<BigIntColumn>(n),     Nulls<BigIntColumn>(n),
                           Same<BoolColumn>(false, n), Same<BigIntColumn>(0, n),
                           Same<SmallIntColumn>(0, n), Same<SmallIntColumn>(0, n),
                           Same<SmallIntColumn>(0, n), Same<BoolColumn>(false, n),
                           Nulls<BigIntColumn>(n),     Nulls<BigIntColumn>(n),
                           Nulls<BigIntColumn>(n),     Nulls<BigIntColumn>(n),
                           Nulls<IdColumn>(n),         Nulls<SmallIntColumn>(n),
                           Nulls<BytesColumn>(n),      Nulls<BigIntColumn>(n)});
}

PGresult* SqlBatch::Answer(const char* name, const server::BinaryParams& params) {
  std::vector<const char*> values;
  std::vector<int> lengths;
  for (const std::string& param : params) {
    values.push_back(param.data());
    lengths.push_back(static_cast<int>(param.size()));
  }
  const std::vector<int> binary(params.size(), 1);
  PGresult* result = PQexecPrepared(connection_, name, static_cast<int>(values.size()),
                                    values.data(), lengths.data(), binary.data(), 0);
  const ExecStatusType status = PQresultStatus(result);
  if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK) Fail(connection_, name);
  return result;
}

void SqlBatch::Execute(const char* name, const server::BinaryParams& params) {
  PQclear(Answer(name, params));
}

void SqlBatch::Command(const char* sql) {
  PGresult* result = PQexec(connection_, sql);
  if (PQresultStatus(result) != PGRES_COMMAND_OK) Fail(connection_, sql);
  PQclear(result);
}

}  // namespace forebay::bench
