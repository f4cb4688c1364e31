#include "server/runs/report.h"

#include <algorithm>
#include <limits>

#include "absl/container/flat_hash_map.h"
#include "absl/container/flat_hash_set.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/crypto/sha256.h"
#include "common/crypto/token.h"
#include "server/api/messages.h"
#include "server/runs/slot_counters.h"

namespace forebay::server {
namespace {

v1::ReportResult Result(v1::ReportVerdict verdict) {
  v1::ReportResult result;
  result.set_verdict(verdict);
  return result;
}

EventKind KindOf(const v1::Exited& exited) {
  if (exited.reason() == "NEVER_STARTED") return EventKind::kNeverBegan;
  if (exited.reason() == "HOLDER_LOST") return EventKind::kHolderLost;
  return EventKind::kExited;
}

Event ExitedEvent(const v1::Exited& exited) {
  Event event;
  event.kind = KindOf(exited);
  event.signal = exited.signal();
  event.exit_code = exited.has_exit_code() ? exited.exit_code() : -1;
  event.reason = WithoutNul(exited.reason());
  event.message = WithoutNul(exited.message());
  if (event.kind == EventKind::kExited && event.signal == 0) {
    event.reason = "EXIT_CODE";
    if (event.message.empty())
      event.message = fmt::format("the command ended with exit code {}", event.exit_code);
  } else if (event.message.empty()) {
    event.message =
        event.signal != 0 ? fmt::format("ended by signal {}", event.signal) : event.reason;
  }
  return event;
}

// A worker's figure is its own word: below nothing there is none, and two of them can be added.
std::optional<int64_t> Figure(bool said, int64_t figure) {
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max() / 2;
  return said && figure >= 0 && figure <= kMost ? std::optional(figure) : std::nullopt;
}

ResourceUsage UsageOf(const v1::Usage& said) {
  return {.cpu_user_micros = Figure(said.has_cpu_user_micros(), said.cpu_user_micros()),
          .cpu_system_micros = Figure(said.has_cpu_system_micros(), said.cpu_system_micros()),
          .max_rss_bytes = Figure(said.has_max_rss_bytes(), said.max_rss_bytes()),
          .cpu_micros = Figure(said.has_cpu_micros(), said.cpu_micros()),
          .cpu_reserved_micros = Figure(said.has_cpu_reserved_micros(), said.cpu_reserved_micros()),
          .memory_reserved_byte_seconds =
              Figure(said.has_memory_reserved_byte_seconds(), said.memory_reserved_byte_seconds())};
}

void NoteFacts(const v1::AttemptReport& report, AttemptChange& change) {
  if (report.has_launching())
    change.infrastructure_name = WithoutNul(report.launching().infrastructure_name());
  if (report.has_launched())
    change.infrastructure_id = WithoutNul(report.launched().infrastructure_id());
  if (!report.has_exited()) return;
  const v1::Exited& exited = report.exited();
  change.log_lines = exited.log_lines();
  if (exited.has_exit_code()) change.exit_code = exited.exit_code();
  change.usage = UsageOf(exited.usage());
}

// What a batch is about, without repetition.
struct RunsOfBatch {
  // All that is reported of them is plain.
  std::vector<Uuid> plain;
  std::vector<Uuid> others;
};

RunsOfBatch RunsOf(const std::vector<ReportRequest>& batch) {
  absl::flat_hash_map<Uuid, bool> plain;
  for (const ReportRequest& request : batch) {
    for (const v1::AttemptReport& report : request.reports) {
      if (const auto id = Uuid::Parse(report.attempt().run_id()))
        plain.try_emplace(*id, true).first->second &= IsPlain(report);
    }
  }
  RunsOfBatch runs;
  for (const auto& [run, all] : plain) (all ? runs.plain : runs.others).push_back(run);
  return runs;
}

// Those of the runs that are not among the held.
std::vector<Uuid> Without(const std::vector<Uuid>& runs, const std::vector<HeldAttempt>& held) {
  absl::flat_hash_set<Uuid> known;
  for (const HeldAttempt& attempt : held) known.insert(attempt.run);
  std::vector<Uuid> others;
  for (const Uuid& run : runs) {
    if (!known.contains(run)) others.push_back(run);
  }
  return others;
}

std::vector<Uuid> QueuesOfEnded(const std::vector<AttemptChange>& changes) {
  std::vector<Uuid> queues;
  for (const AttemptChange& change : changes) {
    if (change.end.has_value()) queues.push_back(change.before.queue);
  }
  return queues;
}

bool ChecksWhatItTakesForGranted(const AttemptChange& change) {
  if (!change.end.has_value()) return Moved(change);
  return change.end->next == Next::kEnd && change.end->outcome == Outcome::kCompleted;
}

// Pools whose slots the batch may give back.
std::vector<Uuid> ReleasingPools(const std::vector<ReportRequest>& batch) {
  std::vector<Uuid> pools;
  for (const ReportRequest& request : batch) {
    const bool releases = std::any_of(
        request.reports.begin(), request.reports.end(),
        [](const v1::AttemptReport& r) { return r.has_exited() || r.has_launch_failed(); });
    if (releases && std::find(pools.begin(), pools.end(), request.pool) == pools.end())
      pools.push_back(request.pool);
  }
  return pools;
}

}  // namespace

Event EventOf(const v1::AttemptReport& report) {
  Event event;
  if (report.has_launched()) event.kind = EventKind::kLaunched;
  if (report.has_gate()) event.kind = EventKind::kGate;
  if (report.has_exited()) return ExitedEvent(report.exited());
  if (report.has_launch_failed()) {
    const v1::LaunchFailed& failed = report.launch_failed();
    event.kind = failed.retryable() ? EventKind::kHostFailed : EventKind::kLaunchFailed;
    event.reason = failed.reason().empty() ? "LAUNCH_FAILED" : WithoutNul(failed.reason());
    event.message = WithoutNul(failed.message());
  }
  return event;
}

bool IsPlain(const v1::AttemptReport& report) {
  if (report.has_exited()) {
    const v1::Exited& exited = report.exited();
    return KindOf(exited) == EventKind::kExited && exited.has_exit_code() &&
           exited.exit_code() == 0;
  }
  return report.has_launching() || report.has_launched() || report.has_gate();
}

ReportFold::ReportFold(std::vector<HeldAttempt> held) {
  std::sort(held.begin(), held.end(),
            [](const HeldAttempt& a, const HeldAttempt& b) { return a.run < b.run; });
  for (HeldAttempt& attempt : held) {
    AttemptChange change;
    change.phase = attempt.state.phase;
    change.before = std::move(attempt);
    changes_.push_back(std::move(change));
  }
}

AttemptChange* ReportFold::FindRun(const v1::AttemptRef& ref) {
  const auto run = Uuid::Parse(ref.run_id());
  if (!run.has_value()) return nullptr;
  const auto it = std::lower_bound(
      changes_.begin(), changes_.end(), *run,
      [](const AttemptChange& change, const Uuid& id) { return change.before.run < id; });
  return it != changes_.end() && it->before.run == *run ? &*it : nullptr;
}

bool ReportFold::IsCurrent(const AttemptChange& change, const v1::AttemptRef& ref,
                           const Uuid& worker) {
  return change.before.attempt == ref.attempt() && change.before.epoch == ref.epoch() &&
         change.before.worker == worker && !change.end.has_value();
}

bool ReportFold::Checked() const {
  if (refused_from_memory_) return false;
  return std::all_of(changes_.begin(), changes_.end(), [](const AttemptChange& change) {
    return !change.before.remembered || ChecksWhatItTakesForGranted(change);
  });
}

v1::ReportResult ReportFold::Apply(const Uuid& worker, const v1::AttemptReport& report) {
  AttemptChange* change = FindRun(report.attempt());
  if (change == nullptr) return Result(v1::REPORT_VERDICT_STALE);
  v1::ReportResult result = IsCurrent(*change, report.attempt(), worker)
                                ? ApplyTo(*change, report)
                                : Result(v1::REPORT_VERDICT_STALE);
  refused_from_memory_ |=
      change->before.remembered && result.verdict() != v1::REPORT_VERDICT_ACCEPTED;
  return result;
}

v1::ReportResult ReportFold::ApplyTo(AttemptChange& change, const v1::AttemptReport& report) {
  if (report.fact_case() == v1::AttemptReport::FACT_NOT_SET) {
    return Result(v1::REPORT_VERDICT_STALE);
  }
  if (report.has_gate() &&
      !ConstantTimeEquals(HashToken(report.gate().launch_ticket()), change.before.ticket_hash)) {
    return Result(v1::REPORT_VERDICT_STALE);
  }
  // A run token says that the infrastructure itself passed the gate: this would be a second start.
  if (report.has_gate() && !change.before.run_token_hash.empty()) {
    return Result(v1::REPORT_VERDICT_STALE);
  }
  if (report.has_exited() && report.exited().log_lines() > change.before.worker_log_sequence) {
    return Result(v1::REPORT_VERDICT_LOGS_MISSING);
  }
  HeldState state = change.before.state;
  state.phase = change.phase;
  Decision decision = Decide(state, EventOf(report));
  if (!decision.refused) {
    NoteFacts(report, change);
    change.phase = decision.next == Next::kNone ? decision.phase : change.phase;
    if (decision.next != Next::kNone) change.end = std::move(decision);
  }
  v1::ReportResult result = Result(v1::REPORT_VERDICT_ACCEPTED);
  if (state.stop != Stop::kNone && !change.end.has_value()) {
    result.set_verdict(v1::REPORT_VERDICT_STOP);
    result.set_stop_reason(StopReasonOf(state.stop));
    if (const auto& grace = change.before.stop_grace) ToProto(*grace, *result.mutable_stop_grace());
  }
  return result;
}

// What one transaction has made of a batch.
struct Reporter::Outcome {
  Results results;
  std::vector<AttemptChange> changes;
  Aftermath aftermath;
};

Reporter::Reporter(const std::string& url, Signals& signals, Turnover& turnover,
                   FreshAttempts& fresh)
    : signals_(signals),
      turnover_(turnover),
      fresh_(fresh),
      batcher_(url, {.flushers = 2, .max_batch = 200, .queue_limit = 20'000, .worth_another = 32},
               [this](Session& session, std::vector<ReportRequest> batch) {
                 Flush(session, std::move(batch));
               }) {}

void Reporter::Report(ReportRequest request) {
  std::vector<ReportRequest> one;
  one.push_back(std::move(request));
  if (absl::Status status = batcher_.Add(one); !status.ok()) one[0].done(status);
}

absl::Status Reporter::Apply(Session& session, const std::vector<ReportRequest>& batch,
                             bool from_memory, Outcome& outcome) {
  outcome = {};
  if (const auto pools = ReleasingPools(batch); !pools.empty())
    RETURN_IF_ERROR(ShareLimits(session, pools));
  RunsOfBatch runs = RunsOf(batch);
  std::vector<HeldAttempt> held;
  if (from_memory) held = fresh_.Of(runs.plain);
  for (const Uuid& run : Without(runs.plain, held)) runs.others.push_back(run);
  if (!runs.others.empty()) {
    ASSIGN_OR_RETURN(auto locked, LockAttempts(session, std::move(runs.others)));
    held.insert(held.end(), std::make_move_iterator(locked.begin()),
                std::make_move_iterator(locked.end()));
  }
  ReportFold fold(std::move(held));
  for (const ReportRequest& request : batch) {
    std::vector<v1::ReportResult>& results = outcome.results.emplace_back();
    for (const v1::AttemptReport& report : request.reports)
      results.push_back(fold.Apply(request.worker, report));
  }
  if (!fold.Checked()) return absl::AbortedError("a plain fact is not plain here");
  outcome.changes = fold.TakeChanges();
  return WriteChanges(session, outcome.changes, outcome.aftermath);
}

void Reporter::Flush(Session& session, std::vector<ReportRequest> batch) {
  Outcome outcome;
  int tries = 0;
  const absl::Status status =
      InTransaction(session, [&] { return Apply(session, batch, tries++ == 0, outcome); });
  // What was not as remembered, or is not known to be written, is looked up from now on.
  if (tries > 1 || !status.ok()) fresh_.Forget(RunsOf(batch).plain);
  if (status.ok()) {
    fresh_.Changed(outcome.changes);
    turnover_.Ended(QueuesOfEnded(outcome.changes));
  }
  for (size_t i = 0; i < batch.size(); ++i) {
    status.ok() ? batch[i].done(std::move(outcome.results[i])) : batch[i].done(status);
  }
  if (!status.ok()) return;
  Signal(outcome.aftermath, signals_);
}

}  // namespace forebay::server
