#include "server/claim/candidates.h"

#include <algorithm>
#include <map>

#include "common/base/status.h"
#include "server/db/queries.h"

namespace forebay::server {
namespace {

// Both statements answer the same columns.
Candidate ReadCandidate(const Rows& rows, size_t row) {
  Candidate candidate;
  candidate.run.run = rows.Id(row, 0);
  candidate.queue = rows.Id(row, 1);
  candidate.deployment = rows.Id(row, 2);
  candidate.run.attempt = static_cast<int>(rows.Int(row, 3));
  candidate.run.epoch = rows.Int(row, 4) + 1;
  candidate.revision = rows.Int(row, 5);
  candidate.run.parameters = rows.Text(row, 6);
  candidate.run.job_variables = rows.Text(row, 7);
  candidate.run.display_name = rows.Text(row, 8);
  candidate.due = rows.Time(row, 9);
  for (const std::string& id : rows.TextArray(row, 10))
    candidate.limits.push_back(*Uuid::Parse(id));
  return candidate;
}

struct PlanColumns {
  std::string queues;
  std::string most;
};

PlanColumns ColumnsOf(const ClaimPlan& plan) {
  ArrayLiteral queues, most;
  for (const QueueAllowance& allowance : plan.queues) {
    queues.Id(allowance.queue);
    most.Int(allowance.most);
  }
  return {queues.Take(), most.Take()};
}

Args ArgsOf(const ClaimWalk& walk) {
  ArrayLiteral queues, most, from;
  for (const QueueWalk& queue : walk.queues) {
    queues.Id(queue.queue);
    most.Int(queue.most);
    queue.from.has_value() ? from.Time(*queue.from) : from.Null();
  }
  return Args().Array(queues.Take()).Array(most.Take()).Int(walk.total).Array(from.Take());
}

void WriteDown(ClaimWalk& walk, const Candidate& candidate, bool is_late) {
  const auto part =
      std::find_if(walk.queues.begin(), walk.queues.end(),
                   [&](const QueueWalk& queue) { return queue.queue == candidate.queue; });
  if (part == walk.queues.end()) return;
  if (part->found++ == 0) part->first = candidate.due;
  part->last = candidate.due;
  if (!is_late) ++part->left;
}

// By the queue's place in the plan, then by due time, then by run.
void SortForStart(const ClaimPlan& plan, std::vector<Candidate>& candidates) {
  std::map<Uuid, size_t> place;
  for (size_t i = 0; i < plan.queues.size(); ++i) place[plan.queues[i].queue] = i;
  std::sort(candidates.begin(), candidates.end(), [&](const Candidate& a, const Candidate& b) {
    return std::tuple(place[a.queue], a.due, a.run.run) <
           std::tuple(place[b.queue], b.due, b.run.run);
  });
}

}  // namespace

absl::StatusOr<std::vector<Candidate>> LockInOrder(Session& session, ClaimWalk& walk,
                                                   int& misplaced) {
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kClaimCandidates, ArgsOf(walk)));
  std::vector<Candidate> candidates;
  std::vector<Uuid> late;
  for (size_t row = 0; row < rows.size(); ++row) {
    Candidate candidate = ReadCandidate(rows, row);
    const bool is_late = rows.Bool(row, 11);
    WriteDown(walk, candidate, is_late);
    is_late ? late.push_back(candidate.run.run) : candidates.push_back(std::move(candidate));
  }
  misplaced = static_cast<int>(late.size());
  if (!late.empty())
    RETURN_IF_ERROR(session.Run(queries::kGateRunsLate, Args().Array(IdArray(late))).status());
  return candidates;
}

absl::Status LockBesideOrder(Session& session, const Uuid& pool, const ClaimPlan& plan,
                             std::vector<Candidate>& candidates) {
  const PlanColumns columns = ColumnsOf(plan);
  ASSIGN_OR_RETURN(
      Rows rows,
      session.Run(
          queries::kGatedCandidates,
          Args().Id(pool).Array(columns.queues).Array(columns.most).Int(int64_t{plan.total} * 4)));
  for (size_t row = 0; row < rows.size(); ++row) {
    candidates.push_back(ReadCandidate(rows, row));
    candidates.back().gated = true;
  }
  SortForStart(plan, candidates);
  return absl::OkStatus();
}

}  // namespace forebay::server
