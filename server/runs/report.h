#pragma once

// Reports of workers, applied in batches: one transaction locks the attempts that a batch names,
// asks the transition table for each fact in order, and writes where each attempt stands
// afterwards.
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
#include "server/runs/held_attempt.h"

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
  Reporter(const std::string& url, Signals& signals);

  // RESOURCE_EXHAUSTED goes to `done` like every other outcome.
  void Report(ReportRequest request);

 private:
  void Flush(Session& session, std::vector<ReportRequest> batch);

  Signals& signals_;
  Batcher<ReportRequest> batcher_;
};

// The fold of a batch of facts over the locked attempts. Pure; separate from Reporter so that tests
// and the run's own protocol use it without a database.
class ReportFold {
 public:
  explicit ReportFold(std::vector<HeldAttempt> held);
  v1::ReportResult Apply(const Uuid& worker, const v1::AttemptReport& report);
  const std::vector<AttemptChange>& changes() const { return changes_; }

 private:
  AttemptChange* Find(const v1::AttemptRef& ref, const Uuid& worker);

  std::vector<AttemptChange> changes_;
};

// What the transition table is asked for a fact.
Event EventOf(const v1::AttemptReport& report);

}  // namespace forebay::server
