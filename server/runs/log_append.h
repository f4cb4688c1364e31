#pragma once

// Lines of runs, appended in batches. Each writer of an attempt (its worker, the run itself)
// numbers its lines from 0; what the server has already is skipped, so a resend is harmless, and a
// gap is refused, so a log has none. The run-wide offset is given out here, under the attempt's
// lock. Thread-safe.

#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "forebay/v1/worker_protocol.pb.h"
#include "server/claim/signals.h"
#include "server/db/batcher.h"

namespace forebay::server {

struct LogAppend {
  // Of the worker protocol: who holds the attempt. The zero id for a run's own lines.
  Uuid worker;
  // Of the run's own protocol: SHA-256 of its run token.
  std::string run_token_hash;
  std::vector<v1::AttemptLogs> logs;
  // As many results as logs.
  absl::AnyInvocable<void(absl::StatusOr<std::vector<v1::AppendResult>>)> done;
};

class LogAppender {
 public:
  LogAppender(const std::string& url, Signals& signals);
  void Append(LogAppend append);

 private:
  void Flush(Session& session, std::vector<LogAppend> batch);

  Signals& signals_;
  Batcher<LogAppend> batcher_;
};

}  // namespace forebay::server
