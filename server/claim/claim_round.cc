#include "server/claim/claim_round.h"

#include <algorithm>
#include <map>

#include "absl/container/flat_hash_map.h"
#include "common/base/status.h"
#include "common/crypto/token.h"
#include "server/claim/assignment.h"
#include "server/claim/slot_ledger.h"
#include "server/claim/worker_directory.h"
#include "server/db/queries.h"
#include "server/runs/cancel.h"
#include "server/runs/held_attempt.h"
#include "server/runs/slot_counters.h"

namespace forebay::server {
namespace {

constexpr int kMostPerRound = 500;

std::optional<int> OptionalInt(const Rows& rows, size_t row, int column) {
  const auto value = rows.OptionalInt(row, column);
  if (!value.has_value()) return std::nullopt;
  return static_cast<int>(*value);
}

bool IsWhole(const PoolState& pool) {
  return !pool.limit.has_value() &&
         std::all_of(pool.queues.begin(), pool.queues.end(), [](const QueueState& queue) {
           return !queue.limit.has_value() && queue.demand > 0;
         });
}

}  // namespace

struct ClaimRound::Plan {
  ClaimPlan plan;
  int64_t start_deadline_ms = 0;
  // Runs of deployments with limits of their own are due.
  bool gated = false;
  // All queues are looked at, and no limit bounds what is found.
  bool whole = false;
  absl::Time as_of;
};

struct ClaimRound::Round {
  Plan plan;
  ClaimWalk walk;
  std::vector<Candidate> candidates;
  SlotLedger ledger;
  Snapshots::Deployments deployments;
  // Candidates that took no part: put elsewhere, or without a slot.
  int misplaced = 0;
  int dropped = 0;
};

absl::StatusOr<ClaimRound::Plan> ClaimRound::MakePlan(Session& session, const Uuid& pool) {
  RETURN_IF_ERROR(ShareLimits(session, {pool}));
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kClaimState, Args().Id(pool)));
  Plan plan;
  if (rows.empty()) return plan;
  PoolState state;
  state.paused = rows.Bool(0, 0);
  state.limit = OptionalInt(rows, 0, 1);
  state.in_use = static_cast<int>(rows.Int(0, 2));
  state.demand = parking_.TotalSlots(pool);
  for (size_t row = 0; row < rows.size(); ++row) {
    QueueState queue;
    queue.id = rows.Id(row, 3);
    queue.priority = static_cast<int>(rows.Int(row, 4));
    queue.paused = rows.Bool(row, 5);
    queue.limit = OptionalInt(rows, row, 6);
    queue.in_use = static_cast<int>(rows.Int(row, 7));
    queue.demand = parking_.SlotsFor(pool, queue.id);
    state.queues.push_back(std::move(queue));
  }
  plan.start_deadline_ms = rows.Int(0, 8);
  plan.gated = rows.Bool(0, 9);
  plan.as_of = rows.Time(0, 10);
  plan.plan = PlanClaim(state, kMostPerRound);
  plan.whole = IsWhole(state);
  return plan;
}

absl::Status ClaimRound::Grant(Session& session, const Uuid& pool, Round& round) {
  IdColumn runs, workers, requests;
  BytesColumn tickets;
  TextColumn limits;
  for (Candidate& candidate : round.candidates) {
    candidate.reservation = parking_.Reserve(pool, candidate.queue);
    if (!candidate.reservation.has_value()) continue;
    candidate.run.ticket = MintToken(TokenKind::kTicket, random_);
    runs.Add(candidate.run.run);
    workers.Add(candidate.reservation->worker);
    requests.Add(candidate.reservation->request);
    candidate.ticket_hash = HashToken(candidate.run.ticket);
    tickets.Add(candidate.ticket_hash);
    const std::vector<Uuid> held = round.ledger.HeldLimits(candidate);
    held.empty() ? limits.Null() : limits.Add(IdArray(held));
  }
  ASSIGN_OR_RETURN(Rows rows,
                   session.RunBatch(queries::kGrantAttempts,
                                    {runs.Take(), workers.Take(), requests.Take(), tickets.Take(),
                                     BinaryInt(static_cast<int32_t>(round.plan.start_deadline_ms)),
                                     limits.Take()}));
  std::map<Uuid, absl::Time> granted;
  for (size_t row = 0; row < rows.size(); ++row) granted[rows.Id(row, 0)] = rows.Time(row, 1);
  for (Candidate& candidate : round.candidates) {
    const auto it = granted.find(candidate.run.run);
    candidate.granted = it != granted.end();
    if (candidate.granted) candidate.run.start_deadline = it->second;
  }
  return round.ledger.Take(session, pool, round.candidates);
}

absl::Status ClaimRound::FindCandidates(Session& session, const Uuid& pool, Round& round) {
  const ClaimPlan& plan = round.plan.plan;
  if (plan.total == 0) return absl::OkStatus();
  const absl::Duration began = clock_.Monotonic();
  ClaimWalk& walk = round.walk;
  walk.total = plan.total;
  walk.as_of = round.plan.as_of;
  for (const QueueAllowance& queue : plan.queues)
    walk.queues.push_back({queue.queue, queue.most, marks_.From(queue.queue)});
  ASSIGN_OR_RETURN(round.candidates, LockInOrder(session, walk, round.misplaced));
  walk.took = clock_.Monotonic() - began;
  if (!round.plan.gated) return absl::OkStatus();
  return LockBesideOrder(session, pool, plan, round.candidates);
}

absl::Status ClaimRound::Claim(Session& session, const Uuid& pool, Round& round) {
  ASSIGN_OR_RETURN(round.plan, MakePlan(session, pool));
  RETURN_IF_ERROR(FindCandidates(session, pool, round));
  if (!round.candidates.empty()) {
    RETURN_IF_ERROR(round.ledger.Admit(session, pool, round.candidates, round.dropped));
  }
  if (!round.candidates.empty()) {
    std::vector<Snapshots::Wanted> wanted;
    for (const Candidate& candidate : round.candidates)
      wanted.push_back({candidate.deployment, candidate.revision});
    ASSIGN_OR_RETURN(round.deployments, snapshots_.DeploymentsAt(session, wanted));
    RETURN_IF_ERROR(Grant(session, pool, round));
  }
  if (!round.plan.gated) return absl::OkStatus();
  return CancelCollisions(session, pool);
}

void ClaimRound::CountTurnover(const Round& round) {
  absl::flat_hash_map<Uuid, int> found;
  for (const Candidate& candidate : round.candidates) {
    if (candidate.gated) continue;
    ++found[candidate.queue];
    if (candidate.granted) turnover_.Claimed(candidate.queue, 1);
  }
  const ClaimPlan& plan = round.plan.plan;
  if (static_cast<int>(round.candidates.size()) >= plan.total) return;
  for (const QueueAllowance& queue : plan.queues) {
    if (found[queue.queue] < queue.most) turnover_.Drained(queue.queue);
  }
}

void ClaimRound::Remember(const Uuid& pool, const Round& round) {
  std::vector<FreshAttempt> attempts;
  for (const Candidate& candidate : round.candidates) {
    const auto deployment = round.deployments.find(candidate.deployment);
    const bool first = candidate.run.attempt == 1 && candidate.run.epoch == 1;
    if (!candidate.granted || !first || candidate.gated || deployment == round.deployments.end())
      continue;
    if (!deployment->second->entrypoint.empty()) continue;
    attempts.push_back({candidate.run.run, pool, candidate.queue, candidate.deployment,
                        candidate.reservation->worker, candidate.ticket_hash});
  }
  fresh_.Granted(std::move(attempts));
}

void ClaimRound::Deliver(const Uuid& pool, Round& round) {
  std::vector<Parking::Delivery> deliveries;
  for (Candidate& candidate : round.candidates) {
    if (!candidate.reservation.has_value()) continue;
    const auto deployment = round.deployments.find(candidate.deployment);
    if (!candidate.granted || deployment == round.deployments.end()) {
      // Its worker's lease is over: left parked it would be picked again and again.
      parking_.Fail(pool, candidate.reservation->poll,
                    WorkerUnknown(candidate.reservation->worker));
      continue;
    }
    deliveries.push_back(
        {*candidate.reservation, MakeAssignment(candidate.run, *deployment->second)});
  }
  parking_.Deliver(pool, std::move(deliveries));
}

void ClaimRound::GiveBack(const Uuid& pool, Round& round) {
  std::vector<Reservation> reserved;
  for (Candidate& candidate : round.candidates) {
    if (candidate.reservation.has_value()) reserved.push_back(*candidate.reservation);
    candidate.reservation.reset();
  }
  parking_.GiveBack(pool, reserved);
}

void ClaimRound::FailPolls(const Uuid& pool, const Round& round) {
  for (const Candidate& candidate : round.candidates) {
    if (!candidate.reservation.has_value()) continue;
    parking_.Fail(pool, candidate.reservation->poll,
                  absl::UnavailableError("the outcome of a grant is unknown"));
  }
}

std::optional<absl::Duration> ClaimRound::MoveMarks(Round& round) {
  std::map<Uuid, int> granted;
  for (const Candidate& candidate : round.candidates)
    if (candidate.granted && !candidate.gated) ++granted[candidate.queue];
  for (QueueWalk& queue : round.walk.queues) queue.left -= granted[queue.queue];
  return marks_.Committed(round.walk);
}

absl::Status ClaimRound::FindNextDue(Session& session, const Uuid& pool, RoundResult& result) {
  ASSIGN_OR_RETURN(Rows due, session.Run(queries::kNextDue, Args().Id(pool)));
  for (const int column : {0, 1}) {
    if (due.empty() || due.IsNull(0, column)) continue;
    const absl::Duration in = absl::Milliseconds(due.Int(0, column));
    result.next_due_in = std::min(result.next_due_in.value_or(in), in);
  }
  return absl::OkStatus();
}

absl::StatusOr<RoundResult> ClaimRound::Run(Session& session, const Uuid& pool) {
  Round round;
  const absl::Status status = InTransaction(session, [&]() -> absl::Status {
    GiveBack(pool, round);
    round = {};
    return Claim(session, pool, round);
  });
  if (!status.ok()) {
    // In doubt: the worker's replay of its request id finds what was granted.
    if (ReasonOf(status) == "COMMIT_IN_DOUBT") FailPolls(pool, round);
    GiveBack(pool, round);
    return status;
  }
  RoundResult result;
  result.next_due_in = MoveMarks(round);
  CountTurnover(round);
  Remember(pool, round);
  Deliver(pool, round);
  const auto& candidates = round.candidates;
  result.granted =
      static_cast<int>(std::count_if(candidates.begin(), candidates.end(),
                                     [](const Candidate& candidate) { return candidate.granted; }));
  // A candidate whose poll left between plan and reservation still waits, and a full page may have
  // more behind it. What found no slot waits for one to come back.
  const int planned = round.plan.plan.total;
  const bool unmatched = result.granted < static_cast<int>(candidates.size());
  const bool full_page =
      planned > 0 && static_cast<int>(candidates.size()) + round.dropped >= planned;
  result.more = round.misplaced > 0 || unmatched || (full_page && result.granted > 0);
  const bool whole = round.plan.whole &&
                     std::none_of(round.walk.queues.begin(), round.walk.queues.end(),
                                  [](const QueueWalk& queue) { return queue.from.has_value(); });
  result.drained =
      whole && !round.plan.gated && round.dropped == 0 && !full_page && !result.more && planned > 0;
  if (!result.more) RETURN_IF_ERROR(FindNextDue(session, pool, result));
  return result;
}

}  // namespace forebay::server
