#include "server/runs/waiting.h"

#include "common/base/status.h"
#include "server/api/messages.h"
#include "server/db/queries.h"

namespace forebay::server {
namespace {

constexpr int kMostHolders = 10;

v1::Waiting Because(v1::WaitingCause cause, std::string message) {
  v1::Waiting waiting;
  waiting.set_cause(cause);
  waiting.set_message(std::move(message));
  return waiting;
}

v1::Waiting NotDue(const QueuedPart& queued) {
  const std::string due = absl::FormatTime(absl::RFC3339_sec, queued.due_at, absl::UTCTimeZone());
  v1::Waiting waiting = queued.attempt > 1
                            ? Because(v1::WAITING_CAUSE_RETRY_DELAY, "it is tried again at " + due)
                            : Because(v1::WAITING_CAUSE_NOT_DUE, "it is due at " + due);
  ToProto(queued.due_at, *waiting.mutable_until());
  return waiting;
}

// What the row itself says; an unset cause when it says nothing.
v1::Waiting ByItsOwnRow(const RunRow& row) {
  const QueuedPart& queued = *row.queued;
  if (queued.paused)
    return Because(v1::WAITING_CAUSE_RUN_PAUSED,
                   fmt::format("it is {}; resume it to let it go on",
                               queued.reason == "SUSPENDED" ? "suspended" : "paused"));
  if (!row.quarantine_reason.empty())
    return Because(v1::WAITING_CAUSE_DEPLOYMENT_QUARANTINED,
                   "its deployment is quarantined: " + row.quarantine_reason);
  if (row.deployment_paused)
    return Because(v1::WAITING_CAUSE_DEPLOYMENT_PAUSED, "its deployment is paused");
  if (row.pool_paused) return Because(v1::WAITING_CAUSE_POOL_PAUSED, "its work pool is paused");
  if (row.queue_paused) return Because(v1::WAITING_CAUSE_QUEUE_PAUSED, "its work queue is paused");
  if (queued.not_due) return NotDue(queued);
  return {};
}

absl::Status AddHolders(Session& session, std::string_view kind, const Uuid& id,
                        v1::Waiting& waiting) {
  ASSIGN_OR_RETURN(Rows rows,
                   session.Run(queries::kSlotHolders, Args().Text(kind).Id(id).Int(kMostHolders)));
  for (size_t i = 0; i < rows.size(); ++i)
    waiting.add_holders("flowRuns/" + std::string(rows.Text(i, 0)));
  return absl::OkStatus();
}

struct Scope {
  std::string_view kind;
  std::string_view word;
  Uuid id;
  // Of waiting_facts: the limit, beside it its use.
  int column;
  v1::WaitingCause cause;
};

absl::StatusOr<v1::Waiting> ByLimits(Session& session, const RunRow& row, const Rows& facts) {
  const std::array scopes = {
      Scope{"pool", "work pool", row.pool, 0, v1::WAITING_CAUSE_POOL_LIMIT},
      Scope{"queue", "work queue", row.queue, 2, v1::WAITING_CAUSE_QUEUE_LIMIT},
      Scope{"deployment", "deployment", row.deployment, 4, v1::WAITING_CAUSE_DEPLOYMENT_LIMIT}};
  for (const Scope& scope : scopes) {
    const auto limit = facts.OptionalInt(0, scope.column);
    if (!limit.has_value() || facts.Int(0, scope.column + 1) < *limit) continue;
    v1::Waiting waiting =
        Because(scope.cause, fmt::format("the {}'s limit of {} attempt{} at once is reached",
                                         scope.word, *limit, *limit == 1 ? "" : "s"));
    RETURN_IF_ERROR(AddHolders(session, scope.kind, scope.id, waiting));
    return waiting;
  }
  return v1::Waiting();
}

absl::StatusOr<v1::Waiting> BySharedLimits(Session& session, const RunRow& row) {
  if (!row.queued->gated) return v1::Waiting();
  ASSIGN_OR_RETURN(Rows full, session.Run(queries::kFullLimits, Args().Id(row.deployment)));
  if (full.empty()) return v1::Waiting();
  const std::string name(full.Text(0, 0));
  const bool rate = full.Bool(0, 4);
  v1::Waiting waiting =
      rate ? Because(v1::WAITING_CAUSE_RATE_LIMIT,
                     fmt::format("rate limit '{}' has no slot left for now", name))
           : Because(v1::WAITING_CAUSE_NAMED_LIMIT,
                     fmt::format("concurrency limit '{}' has all its {} slot{} taken", name,
                                 full.Int(0, 2), full.Int(0, 2) == 1 ? "" : "s"));
  waiting.set_limit(name);
  if (rate && !full.IsNull(0, 3)) {
    ToProto(SystemClock().Now() + absl::Seconds(full.Double(0, 3)), *waiting.mutable_until());
  }
  if (!rate) RETURN_IF_ERROR(AddHolders(session, "named", full.Id(0, 1), waiting));
  return waiting;
}

v1::Waiting ByWorkers(const Rows& facts) {
  if (facts.Int(0, 6) == 0)
    return Because(v1::WAITING_CAUSE_NO_WORKER, "no worker of its pool is online");
  if (facts.Int(0, 7) == 0)
    return Because(v1::WAITING_CAUSE_NO_WORKER_FOR_QUEUE,
                   "no online worker of its pool serves its queue");
  if (facts.Int(0, 8) == 0)
    return Because(v1::WAITING_CAUSE_WORKERS_NOT_READY,
                   fmt::format("no worker of its pool can launch now: {}", facts.Text(0, 9)));
  return {};
}

v1::Waiting Launching(const HeldPart& held) {
  std::string message;
  switch (held.phase) {
    case 0:
      message =
          fmt::format("granted to worker '{}', which has not begun to launch it", held.worker_name);
      break;
    case 1:
      message = fmt::format("worker '{}' prepares its infrastructure {}", held.worker_name,
                            held.infrastructure_name);
      break;
    default:
      message = fmt::format("its infrastructure {} stands ready on worker '{}'",
                            held.infrastructure_name, held.worker_name);
  }
  v1::Waiting waiting = Because(v1::WAITING_CAUSE_LAUNCHING, std::move(message));
  ToProto(held.start_deadline, *waiting.mutable_until());
  return waiting;
}

}  // namespace

absl::StatusOr<v1::Waiting> WhyItWaits(Session& session, const RunRow& row) {
  if (row.held.has_value() && !row.held->started_at.has_value()) return Launching(*row.held);
  if (!row.queued.has_value()) return v1::Waiting();
  v1::Waiting waiting = ByItsOwnRow(row);
  if (waiting.cause() != v1::WAITING_CAUSE_UNSPECIFIED) return waiting;
  ASSIGN_OR_RETURN(Rows facts, session.Run(queries::kWaitingFacts,
                                           Args().Id(row.pool).Id(row.queue).Id(row.deployment)));
  if (facts.empty()) return waiting;
  waiting = ByWorkers(facts);
  if (waiting.cause() != v1::WAITING_CAUSE_UNSPECIFIED) return waiting;
  ASSIGN_OR_RETURN(waiting, ByLimits(session, row, facts));
  if (waiting.cause() != v1::WAITING_CAUSE_UNSPECIFIED) return waiting;
  ASSIGN_OR_RETURN(waiting, BySharedLimits(session, row));
  if (waiting.cause() != v1::WAITING_CAUSE_UNSPECIFIED) return waiting;
  return Because(v1::WAITING_CAUSE_WORKERS_FULL,
                 "all slots of its workers are taken, or runs ahead of it go first");
}

}  // namespace forebay::server
