#include "server/claim/claim_round.h"

#include <algorithm>
#include <map>

#include "common/base/status.h"
#include "common/crypto/token.h"
#include "server/claim/assignment.h"
#include "server/claim/worker_directory.h"
#include "server/db/queries.h"
#include "server/queue/claim_plan.h"
#include "server/runs/held_attempt.h"

namespace forebay::server {
namespace {

constexpr int kMostPerRound = 500;

std::optional<int> OptionalInt(const Rows& rows, size_t row, int column) {
  const auto value = rows.OptionalInt(row, column);
  if (!value.has_value()) return std::nullopt;
  return static_cast<int>(*value);
}

}  // namespace

struct ClaimRound::Plan {
  ClaimPlan plan;
  bool limited = false;
  int64_t start_deadline_ms = 0;
};

struct ClaimRound::Candidate {
  GrantedRun run;
  Uuid queue;
  Uuid deployment;
  int64_t revision = 0;
  std::optional<Reservation> reservation;
  bool granted = false;
};

absl::StatusOr<ClaimRound::Plan> ClaimRound::MakePlan(Session& session, const Uuid& pool) {
  RETURN_IF_ERROR(ShareLimits(session, {pool}));
  // The counters' locks come before the counters are read: nobody else grants under them until the
  // commit.
  ASSIGN_OR_RETURN(Rows counters, session.Run(queries::kLockCounters, Args().Id(pool)));
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kClaimState, Args().Id(pool)));
  Plan plan;
  plan.limited = !counters.empty();
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
  plan.plan = PlanClaim(state, kMostPerRound);
  return plan;
}

absl::StatusOr<std::vector<ClaimRound::Candidate>> ClaimRound::Candidates(Session& session,
                                                                          const Plan& plan) {
  ArrayLiteral queues, most;
  for (const QueueAllowance& allowance : plan.plan.queues) {
    queues.Id(allowance.queue);
    most.Int(allowance.most);
  }
  ASSIGN_OR_RETURN(
      Rows rows, session.Run(queries::kClaimCandidates,
                             Args().Array(queues.Take()).Array(most.Take()).Int(plan.plan.total)));
  std::vector<Candidate> candidates(rows.size());
  for (size_t row = 0; row < rows.size(); ++row) {
    Candidate& candidate = candidates[row];
    candidate.run.run = rows.Id(row, 0);
    candidate.queue = rows.Id(row, 1);
    candidate.deployment = rows.Id(row, 2);
    candidate.run.attempt = static_cast<int>(rows.Int(row, 3));
    candidate.run.epoch = rows.Int(row, 4) + 1;
    candidate.revision = rows.Int(row, 5);
    candidate.run.parameters = rows.Text(row, 6);
    candidate.run.job_variables = rows.Text(row, 7);
    candidate.run.display_name = rows.Text(row, 8);
  }
  return candidates;
}

absl::Status ClaimRound::Grant(Session& session, const Uuid& pool, const Plan& plan,
                               std::vector<Candidate>& candidates) {
  ArrayLiteral runs, workers, requests, tickets;
  for (Candidate& candidate : candidates) {
    candidate.reservation = parking_.Reserve(pool, candidate.queue);
    if (!candidate.reservation.has_value()) continue;
    candidate.run.ticket = MintToken(TokenKind::kTicket, random_);
    runs.Id(candidate.run.run);
    workers.Id(candidate.reservation->worker);
    requests.Id(candidate.reservation->request);
    tickets.Bytes(HashToken(candidate.run.ticket));
  }
  ASSIGN_OR_RETURN(Rows rows,
                   session.Run(queries::kGrantAttempts, Args()
                                                            .Array(runs.Take())
                                                            .Array(workers.Take())
                                                            .Array(requests.Take())
                                                            .Array(tickets.Take())
                                                            .Int(plan.start_deadline_ms)));
  std::map<Uuid, absl::Time> granted;
  std::map<Uuid, int> per_queue;
  for (size_t row = 0; row < rows.size(); ++row) {
    granted[rows.Id(row, 0)] = rows.Time(row, 1);
    ++per_queue[rows.Id(row, 2)];
  }
  for (Candidate& candidate : candidates) {
    const auto it = granted.find(candidate.run.run);
    candidate.granted = it != granted.end();
    if (candidate.granted) candidate.run.start_deadline = it->second;
  }
  if (!plan.limited || granted.empty()) return absl::OkStatus();
  ArrayLiteral kinds, ids, deltas;
  kinds.Text("pool");
  ids.Id(pool);
  deltas.Int(static_cast<int64_t>(granted.size()));
  for (const auto& [queue, count] : per_queue) {
    kinds.Text("queue");
    ids.Id(queue);
    deltas.Int(count);
  }
  return session
      .Run(queries::kBumpCounters,
           Args().Array(kinds.Take()).Array(ids.Take()).Array(deltas.Take()))
      .status();
}

void ClaimRound::Deliver(const Uuid& pool, std::vector<Candidate>& candidates,
                         const Snapshots::Deployments& deployments) {
  std::vector<Parking::Delivery> deliveries;
  for (Candidate& candidate : candidates) {
    if (!candidate.reservation.has_value()) continue;
    const auto deployment = deployments.find(candidate.deployment);
    if (!candidate.granted || deployment == deployments.end()) {
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

absl::StatusOr<RoundResult> ClaimRound::Run(Session& session, const Uuid& pool) {
  RoundResult result;
  std::vector<Candidate> candidates;
  Snapshots::Deployments deployments;
  int planned = 0;
  const auto give_back = [&] {
    std::vector<Reservation> reserved;
    for (Candidate& candidate : candidates) {
      if (candidate.reservation.has_value()) reserved.push_back(*candidate.reservation);
      candidate.reservation.reset();
    }
    parking_.GiveBack(pool, reserved);
  };
  const absl::Status status = InTransaction(session, [&]() -> absl::Status {
    give_back();
    candidates.clear();
    ASSIGN_OR_RETURN(Plan plan, MakePlan(session, pool));
    planned = plan.plan.total;
    if (planned == 0) return absl::OkStatus();
    ASSIGN_OR_RETURN(candidates, Candidates(session, plan));
    if (candidates.empty()) return absl::OkStatus();
    std::vector<Snapshots::Wanted> wanted;
    for (const Candidate& candidate : candidates)
      wanted.push_back({candidate.deployment, candidate.revision});
    ASSIGN_OR_RETURN(deployments, snapshots_.DeploymentsAt(session, wanted));
    return Grant(session, pool, plan, candidates);
  });
  if (!status.ok()) {
    // In doubt: the worker's replay of its request id finds what was granted.
    for (const Candidate& candidate : candidates) {
      if (ReasonOf(status) == "COMMIT_IN_DOUBT" && candidate.reservation.has_value()) {
        parking_.Fail(pool, candidate.reservation->poll,
                      absl::UnavailableError("the outcome of a grant is unknown"));
      }
    }
    give_back();
    return status;
  }
  Deliver(pool, candidates, deployments);
  result.granted =
      static_cast<int>(std::count_if(candidates.begin(), candidates.end(),
                                     [](const Candidate& candidate) { return candidate.granted; }));
  // A candidate whose poll left between plan and reservation still waits.
  const bool unmatched = result.granted < static_cast<int>(candidates.size());
  result.more = unmatched || (planned > 0 && static_cast<int>(candidates.size()) >= planned);
  if (!result.more) {
    ASSIGN_OR_RETURN(Rows due, session.Run(queries::kNextDue, Args().Id(pool)));
    if (!due.empty() && !due.IsNull(0, 0)) result.next_due_in = absl::Milliseconds(due.Int(0, 0));
  }
  return result;
}

}  // namespace forebay::server
