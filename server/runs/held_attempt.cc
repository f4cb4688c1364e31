#include "server/runs/held_attempt.h"

#include <algorithm>
#include <map>

#include "common/base/status.h"
#include "common/base/text.h"
#include "server/db/queries.h"
#include "server/runs/attempt_columns.h"
#include "server/runs/slot_counters.h"

namespace forebay::server {
namespace {

// From the run's id, which is random, so that it needs no other source: FNV-1a of id and attempt.
double ChanceOf(const Uuid& run, int attempt) {
  uint64_t hash = 14695981039346656037U;
  const auto mix = [&hash](uint64_t byte) { hash = (hash ^ byte) * 1099511628211U; };
  for (const uint8_t byte : run.bytes) mix(byte);
  mix(static_cast<uint64_t>(attempt));
  return static_cast<double>(hash >> 11) / static_cast<double>(uint64_t{1} << 53);
}

// Retries, pauses in milliseconds, jitter, causes: four columns from `column` on.
RetryPolicy ReadRetryPolicy(const Rows& rows, size_t row, int column) {
  RetryPolicy policy;
  policy.retries = static_cast<int>(rows.Int(row, column));
  if (policy.retries == 0) return policy;
  for (const std::string& ms : rows.TextArray(row, column + 1))
    policy.delays.push_back(absl::Milliseconds(ParseInt(ms).value_or(0)));
  policy.jitter = rows.Double(row, column + 2);
  for (const std::string& cause : rows.TextArray(row, column + 3))
    policy.on |= RetryCauseBit(cause);
  return policy;
}

void Add(std::vector<Uuid>& ids, const Uuid& id) {
  if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
}

// The statement answers first how many rows it found as they were to be.
absl::StatusOr<Rows> WriteAll(Session& session, const Query& query, const BinaryParams& columns,
                              int64_t count) {
  ASSIGN_OR_RETURN(Rows rows, session.RunBatch(query, columns));
  if (rows.Int(0, 0) == count) return rows;
  return absl::AbortedError("not all attempts are as they were remembered");
}

absl::Status Advance(Session& session, const std::vector<AttemptChange>& changes) {
  AdvanceColumns columns;
  int64_t count = 0;
  for (const AttemptChange& change : changes) {
    if (!Moved(change)) continue;
    ++count;
    columns.Add(change);
  }
  if (count == 0) return absl::OkStatus();
  return WriteAll(session, queries::kAdvanceAttempts, columns.Take(), count).status();
}

absl::Status ReleaseSlots(Session& session, const std::vector<AttemptChange>& ended) {
  std::map<SlotScope, int> slots;
  for (const AttemptChange& change : ended) {
    if (change.before.state.alone) continue;
    --slots[{"pool", change.before.pool}];
    --slots[{"queue", change.before.queue}];
    --slots[{"deployment", change.before.deployment}];
    for (const Uuid& limit : change.before.limits) --slots[{"named", limit}];
  }
  return BumpCounters(session, slots);
}

absl::Status End(Session& session, const std::vector<AttemptChange>& ended) {
  EndColumns columns;
  for (const AttemptChange& change : ended) columns.Add(change);
  ASSIGN_OR_RETURN(Rows rows, WriteAll(session, queries::kEndAttempts, columns.Take(),
                                       static_cast<int64_t>(ended.size())));
  return rows.Bool(0, 1) ? ReleaseSlots(session, ended) : absl::OkStatus();
}

// A slot of a shared limit may be what a run of another pool waits for.
absl::Status AddSharingPools(Session& session, const std::vector<AttemptChange>& ended,
                             std::vector<Uuid>& pools) {
  std::vector<Uuid> limits;
  for (const AttemptChange& change : ended) {
    for (const Uuid& limit : change.before.limits) Add(limits, limit);
  }
  if (limits.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kPoolsOfLimits, Args().Array(IdArray(limits))));
  for (size_t row = 0; row < rows.size(); ++row) Add(pools, rows.Id(row, 0));
  return absl::OkStatus();
}

absl::Status Quarantine(Session& session, const std::vector<AttemptChange>& ended) {
  ArrayLiteral deployments, reasons;
  bool any = false;
  for (const AttemptChange& change : ended) {
    if (!change.end->quarantined) continue;
    any = true;
    deployments.Id(change.before.deployment);
    reasons.Text(change.end->message);
  }
  if (!any) return absl::OkStatus();
  ASSIGN_OR_RETURN(
      Rows rows,
      session.Run(queries::kCountQuarantinedRuns,
                  Args().Array(deployments.Take()).Array(reasons.Take()).Int(kMaxQuarantinedRuns)));
  std::vector<Uuid> quarantined;
  for (size_t row = 0; row < rows.size(); ++row) {
    if (rows.Bool(row, 1)) quarantined.push_back(rows.Id(row, 0));
  }
  if (quarantined.empty()) return absl::OkStatus();
  return session.Run(queries::kBlockRuns, Args().Array(IdArray(quarantined))).status();
}

}  // namespace

Stop ReadStop(const Rows& rows, size_t row, int column) {
  const std::string_view reason = rows.Text(row, column);
  if (reason.empty()) return Stop::kNone;
  if (reason == "TIMED_OUT") return Stop::kTimeout;
  return reason == "SUSPEND_REQUESTED" ? Stop::kSuspend : Stop::kCancel;
}

v1::StopReason StopReasonOf(Stop stop) {
  switch (stop) {
    case Stop::kNone:
      return v1::STOP_REASON_UNSPECIFIED;
    case Stop::kCancel:
      return v1::STOP_REASON_CANCELLED;
    case Stop::kTimeout:
      return v1::STOP_REASON_TIMED_OUT;
    case Stop::kSuspend:
      return v1::STOP_REASON_SUSPENDED;
  }
  return v1::STOP_REASON_UNSPECIFIED;
}

HeldAttempt ReadHeldAttempt(const Rows& rows, size_t row) {
  HeldAttempt held;
  held.run = rows.Id(row, 0);
  held.attempt = static_cast<int>(rows.Int(row, 1));
  held.epoch = rows.Int(row, 2);
  held.pool = rows.Id(row, 3);
  held.queue = rows.Id(row, 4);
  held.deployment = rows.Id(row, 5);
  held.worker = rows.Id(row, 6);
  held.state.phase = static_cast<Phase>(rows.Int(row, 7));
  held.state.stop = ReadStop(rows, row, 8);
  held.state.protocol_retries = static_cast<int>(rows.Int(row, 9));
  held.state.crash_retries = static_cast<int>(rows.Int(row, 10));
  held.state.crash_retries_allowed = static_cast<int>(rows.Int(row, 11));
  held.ticket_hash = rows.Bytes(row, 12);
  held.worker_log_sequence = rows.Int(row, 13);
  held.run_token_hash = rows.Bytes(row, 14);
  held.state.user_retries = static_cast<int>(rows.Int(row, 15));
  held.state.retry = ReadRetryPolicy(rows, row, 16);
  held.state.chance = ChanceOf(held.run, held.attempt);
  for (const std::string& id : rows.TextArray(row, 20)) held.limits.push_back(*Uuid::Parse(id));
  if (const auto grace = rows.OptionalInt(row, 21)) held.stop_grace = absl::Milliseconds(*grace);
  held.state.own_gate =
      held.state.phase == Phase::kStarted ? !held.run_token_hash.empty() : rows.Bool(row, 22);
  if (!rows.IsNull(row, 23))
    held.state.said =
        rows.Text(row, 23) == NameOf(Said::kCompleted) ? Said::kCompleted : Said::kFailed;
  held.state.said_message = rows.Text(row, 24);
  held.state.alone = rows.Bool(row, 25);
  return held;
}

bool Moved(const AttemptChange& change) {
  return change.phase != change.before.state.phase || change.infrastructure_name.has_value() ||
         change.infrastructure_id.has_value() || change.run_token_hash.has_value() ||
         change.said != Said::kNothing;
}

absl::StatusOr<std::vector<HeldAttempt>> LockAttempts(Session& session, std::vector<Uuid> runs) {
  std::sort(runs.begin(), runs.end());
  runs.erase(std::unique(runs.begin(), runs.end()), runs.end());
  ASSIGN_OR_RETURN(Rows rows, session.RunBatch(queries::kLockAttempts, {BinaryIds(runs)}));
  std::vector<HeldAttempt> held;
  for (size_t row = 0; row < rows.size(); ++row) held.push_back(ReadHeldAttempt(rows, row));
  return held;
}

absl::Status WriteChanges(Session& session, const std::vector<AttemptChange>& changes,
                          Aftermath& aftermath) {
  RETURN_IF_ERROR(Advance(session, changes));
  std::vector<AttemptChange> ended;
  for (const AttemptChange& change : changes) {
    aftermath.runs_changed.push_back(change.before.run);
    if (!change.end.has_value()) continue;
    ended.push_back(change);
    const bool requeued = change.end->next == Next::kRequeue;
    Add(requeued ? aftermath.pools_ready : aftermath.pools_freed, change.before.pool);
  }
  if (ended.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(End(session, ended));
  RETURN_IF_ERROR(AddSharingPools(session, ended, aftermath.pools_ready));
  return Quarantine(session, ended);
}

void Signal(const Aftermath& aftermath, Signals& signals) {
  signals.RunsChanged(aftermath.runs_changed);
  for (const Uuid& pool : aftermath.pools_ready) signals.WorkReady(pool);
  for (const Uuid& pool : aftermath.pools_freed) signals.SlotsFreed(pool);
}

}  // namespace forebay::server
