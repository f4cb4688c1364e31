#include "server/runs/log_append.h"
#include "common/base/status.h"

#include <algorithm>
#include <map>

#include "common/crypto/sha256.h"
#include "server/api/messages.h"
#include "server/db/queries.h"

namespace forebay::server {
namespace {

// Where an attempt's log stands within the transaction.
struct LogEnd {
  Uuid run;
  int attempt = 0;
  int64_t epoch = 0;
  Uuid worker;
  int64_t offset = 0;
  int64_t worker_sequence = 0;
  int64_t run_sequence = 0;
  std::string run_token_hash;
  bool cancel_requested = false;
  std::optional<absl::Duration> stop_grace;
  bool moved = false;
};
using LogEnds = std::map<Uuid, LogEnd>;

absl::StatusOr<LogEnds> LockEnds(Session& session, const std::vector<LogAppend>& batch) {
  std::vector<Uuid> runs;
  for (const LogAppend& append : batch) {
    for (const v1::AttemptLogs& logs : append.logs) {
      if (const auto id = Uuid::Parse(logs.attempt().run_id())) runs.push_back(*id);
    }
  }
  std::sort(runs.begin(), runs.end());
  runs.erase(std::unique(runs.begin(), runs.end()), runs.end());
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kLockLogEnds, Args().Array(IdArray(runs))));
  LogEnds ends;
  for (size_t row = 0; row < rows.size(); ++row) {
    const Uuid run = rows.Id(row, 0);
    LogEnd& end = ends[run];
    end.run = run;
    end.attempt = static_cast<int>(rows.Int(row, 1));
    end.epoch = rows.Int(row, 2);
    end.worker = rows.Id(row, 3);
    end.offset = rows.Int(row, 4);
    end.worker_sequence = rows.Int(row, 5);
    end.run_sequence = rows.Int(row, 6);
    end.run_token_hash = rows.Bytes(row, 7);
    end.cancel_requested = rows.Bool(row, 8);
    if (const auto ms = rows.OptionalInt(row, 9)) end.stop_grace = absl::Milliseconds(*ms);
  }
  return ends;
}

LogEnd* FindEnd(LogEnds& ends, const LogAppend& append, const v1::AttemptRef& ref) {
  const auto run = Uuid::Parse(ref.run_id());
  const auto it = run.has_value() ? ends.find(*run) : ends.end();
  if (it == ends.end()) return nullptr;
  LogEnd& end = it->second;
  if (!append.run_token_hash.empty()) {
    return ConstantTimeEquals(end.run_token_hash, append.run_token_hash) ? &end : nullptr;
  }
  const bool current =
      end.attempt == ref.attempt() && end.epoch == ref.epoch() && end.worker == append.worker;
  return current ? &end : nullptr;
}

// The rows of append_logs.
struct Chunks {
  IdColumn run;
  BigIntColumn offset;
  IntColumn attempt, count;
  BytesColumn body;
  bool any = false;
};

v1::AppendResult AppendOne(LogEnd* end, bool by_run, const v1::AttemptLogs& logs, Chunks& chunks) {
  v1::AppendResult result;
  if (end == nullptr) {
    result.set_verdict(v1::REPORT_VERDICT_STALE);
    return result;
  }
  int64_t& sequence = by_run ? end->run_sequence : end->worker_sequence;
  const int64_t known = sequence - logs.first_sequence();
  const int64_t fresh = logs.entries_size() - std::max<int64_t>(known, 0);
  if (known >= 0 && fresh > 0) {
    v1::AttemptLogs body;
    for (int i = static_cast<int>(known); i < logs.entries_size(); ++i)
      *body.add_entries() = logs.entries(i);
    chunks.any = true;
    chunks.run.Add(end->run);
    chunks.offset.Add(end->offset);
    chunks.attempt.Add(end->attempt);
    chunks.count.Add(fresh);
    chunks.body.Add(body.SerializeAsString());
    end->offset += fresh;
    sequence += fresh;
    end->moved = true;
  }
  result.set_verdict(end->cancel_requested ? v1::REPORT_VERDICT_STOP : v1::REPORT_VERDICT_ACCEPTED);
  if (end->cancel_requested && end->stop_grace.has_value())
    ToProto(*end->stop_grace, *result.mutable_stop_grace());
  result.set_next_sequence(sequence);
  return result;
}

absl::Status WriteChunks(Session& session, const LogEnds& ends, Chunks& chunks) {
  if (!chunks.any) return absl::OkStatus();
  RETURN_IF_ERROR(session
                      .RunBatch(queries::kAppendLogs,
                                {chunks.run.Take(), chunks.offset.Take(), chunks.attempt.Take(),
                                 chunks.count.Take(), chunks.body.Take()})
                      .status());
  IdColumn runs;
  BigIntColumn offsets, worker_sequences, run_sequences;
  for (const auto& [run, end] : ends) {
    if (!end.moved) continue;
    runs.Add(run);
    offsets.Add(end.offset);
    worker_sequences.Add(end.worker_sequence);
    run_sequences.Add(end.run_sequence);
  }
  return session
      .RunBatch(queries::kAdvanceLogEnds,
                {runs.Take(), offsets.Take(), worker_sequences.Take(), run_sequences.Take()})
      .status();
}

}  // namespace

LogAppender::LogAppender(const std::string& url, Signals& signals)
    : signals_(signals),
      batcher_(url, {.flushers = 1, .max_batch = 100, .queue_limit = 2'000},
               [this](Session& session, std::vector<LogAppend> batch) {
                 Flush(session, std::move(batch));
               }) {}

void LogAppender::Append(LogAppend append) {
  std::vector<LogAppend> one;
  one.push_back(std::move(append));
  if (absl::Status status = batcher_.Add(one); !status.ok()) one[0].done(status);
}

void LogAppender::Flush(Session& session, std::vector<LogAppend> batch) {
  std::vector<std::vector<v1::AppendResult>> results;
  std::vector<Uuid> grown;
  const absl::Status status = InTransaction(session, [&]() -> absl::Status {
    results.assign(batch.size(), {});
    grown.clear();
    ASSIGN_OR_RETURN(LogEnds ends, LockEnds(session, batch));
    Chunks chunks;
    for (size_t i = 0; i < batch.size(); ++i) {
      for (const v1::AttemptLogs& logs : batch[i].logs) {
        LogEnd* end = FindEnd(ends, batch[i], logs.attempt());
        results[i].push_back(AppendOne(end, !batch[i].run_token_hash.empty(), logs, chunks));
      }
    }
    for (const auto& [run, end] : ends) {
      if (end.moved) grown.push_back(run);
    }
    return WriteChunks(session, ends, chunks);
  });
  for (size_t i = 0; i < batch.size(); ++i) {
    status.ok() ? batch[i].done(std::move(results[i])) : batch[i].done(status);
  }
  if (status.ok() && !grown.empty()) signals_.RunsChanged(grown);
}

}  // namespace forebay::server
