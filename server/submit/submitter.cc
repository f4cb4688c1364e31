#include "server/submit/submitter.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "common/base/status.h"
#include "common/crypto/token.h"
#include "server/claim/assignment.h"
#include "server/claim/worker_directory.h"
#include "server/db/queries.h"
#include "server/runs/held_attempt.h"
#include "server/runs/slot_counters.h"
#include "server/submit/receipt.h"
#include "server/submit/run_rows.h"

namespace forebay::server {
namespace {

absl::Status KeyReused(const std::string& key) {
  return Error(absl::StatusCode::kAlreadyExists, "IDEMPOTENCY_KEY_REUSED")
      .Field("idempotency_key", key)
      .Says("idempotency key '{}' was used for another request in the last 24 hours", key);
}

}  // namespace

// What the transaction found out about a deployment.
struct Submitter::Target {
  int64_t revision = 0;
  bool blocked = false;
  bool gated = false;
  // A run may be granted at once: nothing is paused, limited, or ahead of it.
  bool open = false;
  int64_t start_deadline_ms = 0;
};

struct Submitter::Item {
  SubmitRequest request;
  absl::StatusOr<Accepted> outcome = Accepted{};
  // Still to be inserted.
  bool pending = true;
  std::optional<Reservation> reservation;
  std::string ticket;
  std::string ticket_hash;
  Written written;
  std::optional<absl::Time> granted_until;

  const Submission& submission() const { return request.submission; }
};

struct Submitter::Batch {
  std::vector<Item> items;
  // The lobby knows that they have their slots, or get none.
  bool seated = false;
  std::map<Uuid, Target> targets;
};

Submitter::Submitter(const std::string& url, const Shared& shared)
    : parking_(shared.parking),
      marks_(shared.marks),
      turnover_(shared.turnover),
      fresh_(shared.fresh),
      signals_(shared.signals),
      clock_(shared.clock),
      random_(shared.random),
      lobby_(
          {[this](const Uuid& pool, const Uuid& queue) { return parking_.SlotsFor(pool, queue); },
           [this](const Uuid& queue) { return turnover_.Of(queue); }}),
      expiry_([this] { ExpireLoop(); }),
      batcher_(url, {.flushers = 2, .max_batch = 500, .queue_limit = 20'000, .worth_another = 150},
               [this](Session& session, std::vector<SubmitRequest> requests) {
                 Flush(session, std::move(requests));
               }) {}

Submitter::~Submitter() {
  Refused refused;
  {
    MutexLock lock(mutex_);
    stopping_ = true;
    refused = GoOn(lobby_.Empty());
  }
  Answer(std::move(refused));
  lobby_wake_.NotifyAll();
  expiry_.join();
}

void Submitter::Submit(std::vector<SubmitRequest> requests) {
  Refused refused;
  {
    MutexLock lock(mutex_);
    const bool first = lobby_.size() == 0;
    refused = GoOn(lobby_.Enter(std::move(requests), clock_.Monotonic()));
    if (first && lobby_.size() > 0) lobby_wake_.NotifyOne();
  }
  Answer(std::move(refused));
}

void Submitter::SlotsCame(const Uuid& pool) {
  Refused refused;
  {
    MutexLock lock(mutex_);
    if (lobby_.size() > 0) refused = GoOn(lobby_.Release(pool));
  }
  Answer(std::move(refused));
}

void Submitter::ExpireLoop() {
  for (;;) {
    Refused refused;
    {
      MutexLock lock(mutex_);
      if (stopping_) return;
      const auto next = lobby_.NextExpiry();
      const absl::Duration now = clock_.Monotonic();
      if (!next.has_value()) {
        lobby_wake_.Wait(mutex_);
      } else if (*next > now) {
        lobby_wake_.WaitFor(mutex_, *next - now);
      } else {
        refused = GoOn(lobby_.Expire(now));
      }
    }
    Answer(std::move(refused));
  }
}

Submitter::Refused Submitter::GoOn(std::vector<SubmitRequest> passed) {
  if (passed.empty()) return {};
  const absl::Status status = batcher_.Add(passed);
  if (status.ok()) return {};
  for (const SubmitRequest& request : passed) lobby_.Seated(request.submission);
  return {status, std::move(passed)};
}

void Submitter::Answer(Refused refused) {
  for (SubmitRequest& request : refused.requests) request.done(refused.status);
}

void Submitter::Seat(Batch& batch) {
  if (std::exchange(batch.seated, true)) return;
  MutexLock lock(mutex_);
  for (const Item& item : batch.items) lobby_.Seated(item.submission());
}

absl::Status Submitter::ReadTargets(Session& session, Batch& batch) {
  std::vector<Uuid> deployments;
  std::vector<Uuid> pools;
  for (const Item& item : batch.items) {
    const DeploymentSnapshot& deployment = *item.submission().deployment;
    if (std::find(deployments.begin(), deployments.end(), deployment.id) == deployments.end()) {
      deployments.push_back(deployment.id);
      if (parking_.TotalSlots(deployment.pool) > 0) pools.push_back(deployment.pool);
    }
  }
  // Only a batch that may grant must wait for a change of limits.
  if (!pools.empty()) RETURN_IF_ERROR(ShareLimits(session, pools));
  ArrayLiteral queues, from;
  for (const LowWaterMarks::Place& mark : marks_.InUse()) {
    queues.Id(mark.queue);
    from.Int(absl::ToUnixMicros(mark.from));
  }
  ASSIGN_OR_RETURN(
      Rows rows,
      session.Run(queries::kSubmitTargets,
                  Args().Array(IdArray(deployments)).Array(queues.Take()).Array(from.Take())));
  batch.targets.clear();
  for (size_t row = 0; row < rows.size(); ++row) {
    Target& target = batch.targets[rows.Id(row, 0)];
    target.revision = rows.Int(row, 1);
    target.blocked = rows.Bool(row, 4);
    const bool held_back = rows.Bool(row, 5) || rows.Bool(row, 6) || rows.Bool(row, 7);
    target.open = !target.blocked && !held_back;
    target.start_deadline_ms = rows.Int(row, 8);
    target.gated = rows.Bool(row, 9);
  }
  return absl::OkStatus();
}

absl::Status Submitter::TakeKeys(Session& session, Batch& batch) {
  // Of two items with one key in one batch the second waits for the first's row like any later
  // request.
  std::map<std::pair<Uuid, std::string>, Item*> first;
  std::vector<Item*> keyed;
  for (Item& item : batch.items) {
    if (!item.pending || item.submission().idempotency_key.empty()) continue;
    keyed.push_back(&item);
    first.emplace(std::pair(item.submission().team, item.submission().idempotency_key), &item);
  }
  if (keyed.empty()) return absl::OkStatus();
  ArrayLiteral teams, keys, runs, hashes, all_teams, all_keys;
  for (const auto& [key, item] : first) {
    teams.Id(key.first);
    keys.Text(key.second);
    runs.Id(item->submission().run);
    hashes.Bytes(item->submission().payload_hash);
    all_teams.Id(key.first);
    all_keys.Text(key.second);
  }
  RETURN_IF_ERROR(
      session
          .Run(
              queries::kTakeIdempotencyKeys,
              Args().Array(teams.Take()).Array(keys.Take()).Array(runs.Take()).Array(hashes.Take()))
          .status());
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kReadIdempotencyKeys,
                                          Args().Array(all_teams.Take()).Array(all_keys.Take())));
  std::map<std::pair<Uuid, std::string>, std::pair<Uuid, std::string>> owners;
  for (size_t row = 0; row < rows.size(); ++row) {
    owners[{rows.Id(row, 0), std::string(rows.Text(row, 1))}] = {rows.Id(row, 2),
                                                                 rows.Bytes(row, 3)};
  }
  for (Item* item : keyed) {
    const auto& owner = owners[{item->submission().team, item->submission().idempotency_key}];
    if (owner.first == item->submission().run) continue;
    item->pending = false;
    item->outcome = owner.second == item->submission().payload_hash
                        ? absl::StatusOr<Accepted>(Accepted{owner.first, true, {}})
                        : absl::StatusOr<Accepted>(KeyReused(item->submission().idempotency_key));
  }
  return absl::OkStatus();
}

void Submitter::Reserve(Batch& batch) {
  for (Item& item : batch.items) {
    const Submission& submission = item.submission();
    const Target& target = batch.targets[submission.deployment->id];
    if (!item.pending || !target.open || submission.due.has_value()) continue;
    item.reservation = parking_.Reserve(submission.deployment->pool, submission.deployment->queue);
    if (!item.reservation.has_value()) continue;
    item.ticket = MintToken(TokenKind::kTicket, random_);
    item.ticket_hash = HashToken(item.ticket);
  }
}

absl::Status Submitter::Insert(Session& session, Batch& batch) {
  std::vector<NewRun> runs;
  std::vector<Item*> inserted;
  for (Item& item : batch.items) {
    if (!item.pending) continue;
    const Target& target = batch.targets[item.submission().deployment->id];
    inserted.push_back(&item);
    runs.push_back({&item.submission(), target.blocked, target.gated, item.reservation,
                    item.ticket_hash, target.start_deadline_ms});
  }
  ASSIGN_OR_RETURN(const auto written, InsertRuns(session, runs));
  for (size_t i = 0; i < inserted.size(); ++i) {
    inserted[i]->outcome = Accepted{inserted[i]->submission().run, false, {}};
    inserted[i]->written = written[i].written;
    inserted[i]->granted_until = written[i].granted_until;
  }
  return absl::OkStatus();
}

absl::Status Submitter::WriteBatch(Session& session, Batch& batch) {
  Unreserve(batch);
  for (Item& item : batch.items) {
    item.pending = true;
    item.granted_until.reset();
  }
  RETURN_IF_ERROR(ReadTargets(session, batch));
  for (Item& item : batch.items) {
    const DeploymentSnapshot& deployment = *item.submission().deployment;
    const auto target = batch.targets.find(deployment.id);
    if (target != batch.targets.end() && target->second.revision == deployment.revision) continue;
    item.pending = false;
    item.outcome = target == batch.targets.end()
                       ? Error(absl::StatusCode::kNotFound, "DEPLOYMENT_NOT_FOUND")
                             .Field("deployment", deployment.flow_name + "/" + deployment.name)
                             .Says("deployment '{}/{}' does not exist any more",
                                   deployment.flow_name, deployment.name)
                       : Error(absl::StatusCode::kAborted, "DEPLOYMENT_CHANGED")
                             .Says("the deployment was changed");
  }
  RETURN_IF_ERROR(TakeKeys(session, batch));
  const bool any = std::any_of(batch.items.begin(), batch.items.end(),
                               [](const Item& item) { return item.pending; });
  if (!any) return absl::OkStatus();
  Reserve(batch);
  Seat(batch);
  return Insert(session, batch);
}

void Submitter::Unreserve(Batch& batch) {
  for (Item& item : batch.items) {
    if (!item.reservation.has_value()) continue;
    parking_.GiveBack(item.submission().deployment->pool, {*item.reservation});
    item.reservation.reset();
  }
}

absl::Status Submitter::ResolveDoubt(Session& session, Batch& batch, const absl::Status& doubt) {
  std::vector<Uuid> runs;
  for (const Item& item : batch.items) {
    if (item.pending) runs.push_back(item.submission().run);
  }
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kWhichRunsExist, Args().Array(IdArray(runs))));
  // One transaction: all are there or none.
  return rows.empty() ? absl::UnavailableError(std::string(doubt.message())) : absl::OkStatus();
}

void Submitter::Flush(Session& session, std::vector<SubmitRequest> requests) {
  Batch batch;
  for (SubmitRequest& request : requests) {
    Item& item = batch.items.emplace_back();
    item.request = std::move(request);
  }
  absl::Status status = InTransaction(session, [&] { return WriteBatch(session, batch); });
  Seat(batch);
  if (ReasonOf(status) == "COMMIT_IN_DOUBT") {
    status = ResolveDoubt(session, batch, status);
    // Granted or not, the polls are told to ask again: a replay finds what they got.
    for (Item& item : batch.items) {
      if (!item.reservation.has_value()) continue;
      parking_.Fail(item.submission().deployment->pool, item.reservation->poll,
                    absl::UnavailableError("the outcome of a grant is unknown"));
    }
  }
  if (!status.ok()) {
    Unreserve(batch);
    for (Item& item : batch.items) item.outcome = status;
  }
  Answer(batch);
}

void Submitter::Remember(const Batch& batch) {
  std::vector<FreshAttempt> attempts;
  for (const Item& item : batch.items) {
    const DeploymentSnapshot& deployment = *item.submission().deployment;
    if (!item.reservation.has_value() || !item.granted_until.has_value()) continue;
    if (!deployment.entrypoint.empty()) continue;
    attempts.push_back({item.submission().run, deployment.pool, deployment.queue, deployment.id,
                        item.reservation->worker, item.ticket_hash});
  }
  fresh_.Granted(std::move(attempts));
}

void Submitter::Answer(Batch& batch) {
  Remember(batch);
  std::map<Uuid, std::vector<Parking::Delivery>> deliveries;
  std::vector<Uuid> hinted;
  absl::flat_hash_map<Uuid, int64_t> waiting;
  for (Item& item : batch.items) {
    const DeploymentSnapshot& deployment = *item.submission().deployment;
    if (item.reservation.has_value() && item.granted_until.has_value()) {
      const Submission& run = item.submission();
      const GrantedRun granted{run.run,
                               1,
                               1,
                               item.ticket,
                               run.parameters,
                               run.job_variables,
                               run.display_name,
                               *item.granted_until};
      deliveries[deployment.pool].push_back(
          {*item.reservation, MakeAssignment(granted, deployment)});
    } else if (item.reservation.has_value()) {
      parking_.Fail(deployment.pool, item.reservation->poll,
                    WorkerUnknown(item.reservation->worker));
    }
    const bool queued =
        item.outcome.ok() && !item.outcome->existed && !item.granted_until.has_value();
    if (queued && !item.submission().due.has_value() && !batch.targets[deployment.id].blocked)
      ++waiting[deployment.queue];
    if (queued && std::find(hinted.begin(), hinted.end(), deployment.pool) == hinted.end()) {
      hinted.push_back(deployment.pool);
    }
  }
  for (const auto& [queue, runs] : waiting) turnover_.Queued(queue, runs);
  for (Item& item : batch.items) {
    if (item.outcome.ok() && !item.outcome->existed && item.request.wants_receipt) {
      item.outcome->receipt = Receipt(item.submission(), item.written);
    }
    item.request.done(std::move(item.outcome));
  }
  for (auto& [pool, list] : deliveries) parking_.Deliver(pool, std::move(list));
  for (const Uuid& pool : hinted) signals_.WorkReady(pool);
}

}  // namespace forebay::server
