#pragma once

// Reports of workers, applied in batches: one transaction locks the attempts that a batch names,
// asks the transition table for each fact in order, and writes where each attempt stands
// afterwards. Plain facts of attempts that this server granted are decided from memory instead
// (fresh_attempts.h); where the writes find a row otherwise, the batch begins anew with the locks.
//
// A fact counts only if run, attempt, epoch and worker are the current ones (P2); a repeated fact
// is answered as the first. Thread-safe.

#include <string>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "absl/status/statusor.h"
#include "forebay/v1/worker_protocol.pb.h"
#include "server/claim/signals.h"
#include "server/db/batcher.h"
#include "server/runs/fresh_attempts.h"
#include "server/runs/held_attempt.h"
#include "server/submit/turnover.h"

namespace forebay::server {

struct ReportRequest {
  Uuid worker;
  Uuid pool;
  std::vector<v1::AttemptReport> reports;
  // As many results as reports. UNAVAILABLE: nothing is known to be applied, report again.
  absl::AnyInvocable<void(absl::StatusOr<std::vector<v1::ReportResult>>)> done;
};

class Reporter {
 public:
  Reporter(const std::string& url, Signals& signals, Turnover& turnover, FreshAttempts& fresh);

  // RESOURCE_EXHAUSTED goes to `done` like every other outcome.
  void Report(ReportRequest request);

 private:
  using Results = std::vector<std::vector<v1::ReportResult>>;
  struct Outcome;
  void Flush(Session& session, std::vector<ReportRequest> batch);
  absl::Status Apply(Session& session, const std::vector<ReportRequest>& batch, bool from_memory,
                     Outcome& outcome);

  Signals& signals_;
  Turnover& turnover_;
  FreshAttempts& fresh_;
  Batcher<ReportRequest> batcher_;
};

// The fold of a batch of facts over the attempts. Pure; separate from Reporter so that tests and
// the run's own protocol use it without a database.
class ReportFold {
 public:
  // In any order.
  explicit ReportFold(std::vector<HeldAttempt> held);
  v1::ReportResult Apply(const Uuid& worker, const v1::AttemptReport& report);
  const std::vector<AttemptChange>& changes() const { return changes_; }
  // The last that is asked of it.
  std::vector<AttemptChange> TakeChanges() { return std::move(changes_); }
  // Whether each remembered attempt has a change whose statement checks all that was taken for
  // granted: a phase ahead, or a plain completion. Not if a fact of one was refused.
  bool Checked() const;

 private:
  AttemptChange* FindRun(const v1::AttemptRef& ref);
  static bool IsCurrent(const AttemptChange& change, const v1::AttemptRef& ref, const Uuid& worker);
  static v1::ReportResult ApplyTo(AttemptChange& change, const v1::AttemptReport& report);

  std::vector<AttemptChange> changes_;
  bool refused_from_memory_ = false;
};

// What the transition table is asked for a fact.
Event EventOf(const v1::AttemptReport& report);
// A step ahead or an end with exit code 0: decided by what fresh_attempts.h remembers alone.
bool IsPlain(const v1::AttemptReport& report);

}  // namespace forebay::server
