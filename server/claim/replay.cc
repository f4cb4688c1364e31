#include "server/claim/replay.h"

#include <map>

#include "common/base/status.h"
#include "common/crypto/token.h"
#include "server/api/messages.h"
#include "server/claim/assignment.h"
#include "server/db/queries.h"
#include "server/runs/held_attempt.h"

namespace forebay::server {
namespace {

// The first ten columns of lock_replayed and lock_sightings.
struct LockedGrant {
  GrantedRun run;
  Uuid deployment;
  int64_t revision = 0;
};

LockedGrant ReadGrant(const Rows& rows, size_t row, Random& random) {
  LockedGrant grant;
  grant.run.run = rows.Id(row, 0);
  grant.run.attempt = static_cast<int>(rows.Int(row, 1));
  grant.run.epoch = rows.Int(row, 2);
  grant.deployment = rows.Id(row, 3);
  grant.revision = rows.Int(row, 4);
  grant.run.parameters = rows.Text(row, 5);
  grant.run.job_variables = rows.Text(row, 6);
  grant.run.display_name = rows.Text(row, 7);
  grant.run.start_deadline = rows.Time(row, 8);
  grant.run.ticket = MintToken(TokenKind::kTicket, random);
  return grant;
}

absl::StatusOr<std::vector<v1::Assignment>> ToAssignments(Session& session, Snapshots& snapshots,
                                                          const std::vector<LockedGrant>& grants) {
  std::vector<Snapshots::Wanted> wanted;
  for (const LockedGrant& grant : grants) wanted.push_back({grant.deployment, grant.revision});
  ASSIGN_OR_RETURN(auto deployments, snapshots.DeploymentsAt(session, wanted));
  std::vector<v1::Assignment> assignments;
  for (const LockedGrant& grant : grants) {
    assignments.push_back(MakeAssignment(grant.run, *deployments.at(grant.deployment)));
  }
  return assignments;
}

// What a locked row says to somebody who sees its infrastructure.
struct SightedRow {
  LockedGrant grant;
  Uuid holder;
  bool gate_passed = false;
  Stop stop = Stop::kNone;
  int64_t log_sequence = 0;
  // Absent: the holder has no lease.
  std::optional<absl::Duration> lease_left;

  bool HeldByAnother(const Uuid& worker) const {
    return holder != worker && lease_left.has_value() && *lease_left > absl::ZeroDuration();
  }
};

SightedRow ReadSighted(const Rows& rows, size_t row, Random& random) {
  SightedRow sighted;
  sighted.grant = ReadGrant(rows, row, random);
  sighted.holder = rows.Id(row, 10);
  sighted.gate_passed = rows.Int(row, 11) == static_cast<int>(Phase::kStarted);
  sighted.stop = ReadStop(rows, row, 12);
  sighted.log_sequence = rows.Int(row, 13);
  if (const auto left = rows.OptionalInt(row, 14)) sighted.lease_left = absl::Milliseconds(*left);
  return sighted;
}

std::vector<Uuid> RunsOf(const v1::AdoptAttemptsRequest& request) {
  std::vector<Uuid> runs;
  for (const v1::Sighting& sighting : request.sightings()) {
    if (const auto id = Uuid::Parse(sighting.run_id())) runs.push_back(*id);
  }
  return runs;
}

using SightedRuns = std::map<Uuid, SightedRow>;

// Leaves the runs of which the current attempt is seen: infrastructure of an older one gives no
// right to it.
void KeepCurrent(const v1::AdoptAttemptsRequest& request, SightedRuns& sighted) {
  SightedRuns current;
  for (const v1::Sighting& sighting : request.sightings()) {
    const auto run = Uuid::Parse(sighting.run_id());
    const auto it = run.has_value() ? sighted.find(*run) : sighted.end();
    if (it != sighted.end() && it->second.grant.run.attempt == sighting.attempt())
      current[*run] = it->second;
  }
  sighted = std::move(current);
}

absl::Status TakeOver(Session& session, const KnownWorker& worker, absl::Duration start_deadline,
                      SightedRuns& sighted) {
  ArrayLiteral runs, steps, tickets;
  bool any = false;
  for (auto& [run, row] : sighted) {
    if (row.HeldByAnother(worker.id)) continue;
    any = true;
    const int step = row.holder == worker.id ? 0 : 1;
    row.grant.run.epoch += step;
    runs.Id(run);
    steps.Int(step);
    tickets.Bytes(HashToken(row.grant.run.ticket));
  }
  if (!any) return absl::OkStatus();
  return session
      .Run(queries::kAdoptAttempts, Args()
                                        .Id(worker.id)
                                        .Array(runs.Take())
                                        .Array(steps.Take())
                                        .Array(tickets.Take())
                                        .Int(absl::ToInt64Milliseconds(start_deadline)))
      .status();
}

v1::Adoption AdoptionOf(const v1::Sighting& sighting, const Uuid& worker,
                        const SightedRuns& sighted,
                        const std::map<Uuid, v1::Assignment>& assignments) {
  v1::Adoption adoption;
  const auto run = Uuid::Parse(sighting.run_id());
  const auto it = run.has_value() ? sighted.find(*run) : sighted.end();
  if (it == sighted.end() || it->second.grant.run.attempt != sighting.attempt()) {
    adoption.set_verdict(v1::ADOPT_VERDICT_STALE);
    return adoption;
  }
  const SightedRow& row = it->second;
  if (row.HeldByAnother(worker)) {
    adoption.set_verdict(v1::ADOPT_VERDICT_HELD);
    ToProto(*row.lease_left, *adoption.mutable_retry_after());
    return adoption;
  }
  adoption.set_verdict(v1::ADOPT_VERDICT_ADOPTED);
  *adoption.mutable_assignment() = assignments.at(*run);
  adoption.set_gate_passed(row.gate_passed);
  adoption.set_next_log_sequence(row.log_sequence);
  adoption.set_stop_reason(StopReasonOf(row.stop));
  return adoption;
}

}  // namespace

absl::StatusOr<std::vector<v1::Assignment>> ReplayGrants(Session& session, Snapshots& snapshots,
                                                         Random& random, const Uuid& worker,
                                                         const Uuid& request) {
  std::vector<v1::Assignment> assignments;
  RETURN_IF_ERROR(InTransaction(session, [&]() -> absl::Status {
    assignments.clear();
    ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kLockReplayed, Args().Id(worker).Id(request)));
    if (rows.empty()) return absl::OkStatus();
    std::vector<LockedGrant> grants;
    ArrayLiteral runs, tickets;
    for (size_t row = 0; row < rows.size(); ++row) {
      grants.push_back(ReadGrant(rows, row, random));
      runs.Id(grants.back().run.run);
      tickets.Bytes(HashToken(grants.back().run.ticket));
    }
    RETURN_IF_ERROR(
        session.Run(queries::kRenewTickets, Args().Array(runs.Take()).Array(tickets.Take()))
            .status());
    ASSIGN_OR_RETURN(assignments, ToAssignments(session, snapshots, grants));
    return absl::OkStatus();
  }));
  return assignments;
}

absl::StatusOr<v1::AdoptAttemptsResponse> AdoptAttempts(Session& session, Snapshots& snapshots,
                                                        Random& random, const KnownWorker& worker,
                                                        const v1::AdoptAttemptsRequest& request) {
  ASSIGN_OR_RETURN(const auto pool, snapshots.Pool(session, worker.pool));
  v1::AdoptAttemptsResponse response;
  RETURN_IF_ERROR(InTransaction(session, [&]() -> absl::Status {
    response.Clear();
    ASSIGN_OR_RETURN(Rows rows,
                     session.Run(queries::kLockSightings,
                                 Args().Array(IdArray(RunsOf(request))).Id(worker.pool)));
    SightedRuns sighted;
    for (size_t row = 0; row < rows.size(); ++row)
      sighted[rows.Id(row, 0)] = ReadSighted(rows, row, random);
    KeepCurrent(request, sighted);
    RETURN_IF_ERROR(TakeOver(session, worker, pool->start_deadline, sighted));
    std::vector<LockedGrant> grants;
    for (const auto& [run, row] : sighted) grants.push_back(row.grant);
    ASSIGN_OR_RETURN(const auto built, ToAssignments(session, snapshots, grants));
    std::map<Uuid, v1::Assignment> assignments;
    for (size_t i = 0; i < grants.size(); ++i) assignments[grants[i].run.run] = built[i];
    for (const v1::Sighting& sighting : request.sightings()) {
      *response.add_adoptions() = AdoptionOf(sighting, worker.id, sighted, assignments);
    }
    return absl::OkStatus();
  }));
  return response;
}

}  // namespace forebay::server
