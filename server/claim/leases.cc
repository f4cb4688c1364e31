#include "server/claim/leases.h"

#include <map>

#include "common/base/status.h"
#include "common/base/text.h"
#include "server/api/messages.h"
#include "server/claim/worker_directory.h"
#include "server/db/queries.h"
#include "server/runs/held_attempt.h"

namespace forebay::server {
namespace {

constexpr double kFreshPart = 0.05;
// Workers that are gone are forgotten so often.
constexpr absl::Duration kSweepInterval = absl::Minutes(1);

struct HeldNow {
  int attempt = 0;
  int64_t epoch = 0;
  Stop stop = Stop::kNone;
  std::optional<absl::Duration> grace;
};
// By worker and run.
using HeldByWorker = std::map<std::pair<Uuid, Uuid>, HeldNow>;

absl::Status SetReadiness(Session& session, const std::vector<Beat>& batch) {
  // The last word of each.
  std::map<Uuid, std::string> said;
  for (const Beat& beat : batch) {
    if (beat.not_ready_reason.has_value()) said[beat.worker] = *beat.not_ready_reason;
  }
  if (said.empty()) return absl::OkStatus();
  std::vector<Uuid> workers;
  std::vector<std::string> reasons;
  for (auto& [worker, reason] : said) {
    workers.push_back(worker);
    reasons.push_back(std::move(reason));
  }
  return session
      .Run(queries::kSetReadiness, Args().Array(IdArray(workers)).Array(TextArray(reasons)))
      .status();
}

absl::StatusOr<std::map<Uuid, absl::Duration>> RenewAll(Session& session,
                                                        const std::vector<Beat>& batch) {
  std::vector<Uuid> workers;
  for (const Beat& beat : batch) workers.push_back(beat.worker);
  std::map<Uuid, absl::Duration> alive;
  RETURN_IF_ERROR(InTransaction(session, [&]() -> absl::Status {
    alive.clear();
    // A lost renewal costs one beat: liveness need not survive a crash of the database.
    RETURN_IF_ERROR(session.RunText("SET LOCAL synchronous_commit = off").status());
    ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kRenewLeases, Args().Array(IdArray(workers))));
    for (size_t row = 0; row < rows.size(); ++row)
      alive[rows.Id(row, 0)] = absl::Milliseconds(rows.Int(row, 1));
    return SetReadiness(session, batch);
  }));
  return alive;
}

absl::StatusOr<HeldByWorker> ReadHeld(Session& session, const std::vector<Beat>& batch) {
  std::vector<Uuid> workers;
  for (const Beat& beat : batch) {
    if (!beat.held.empty()) workers.push_back(beat.worker);
  }
  HeldByWorker held;
  if (workers.empty()) return held;
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kHeldByWorkers, Args().Array(IdArray(workers))));
  for (size_t row = 0; row < rows.size(); ++row) {
    HeldNow& now = held[{rows.Id(row, 0), rows.Id(row, 1)}];
    now.attempt = static_cast<int>(rows.Int(row, 2));
    now.epoch = rows.Int(row, 3);
    now.stop = ReadStop(rows, row, 4);
    if (const auto ms = rows.OptionalInt(row, 5)) now.grace = absl::Milliseconds(*ms);
  }
  return held;
}

v1::StopCommand& AddStop(const v1::AttemptRef& ref, v1::StopReason reason, BeatResult& result) {
  v1::StopCommand& stop = result.stops.emplace_back();
  *stop.mutable_attempt() = ref;
  stop.set_reason(reason);
  return stop;
}

BeatResult Answer(const Beat& beat, absl::Duration ttl, const HeldByWorker& held) {
  BeatResult result;
  result.lease_ttl = ttl;
  for (const v1::AttemptRef& ref : beat.held) {
    const auto run = Uuid::Parse(ref.run_id());
    const auto it = run.has_value() ? held.find({beat.worker, *run}) : held.end();
    const bool current =
        it != held.end() && it->second.attempt == ref.attempt() && it->second.epoch == ref.epoch();
    if (!current) {
      AddStop(ref, v1::STOP_REASON_SUPERSEDED, result);
    } else if (it->second.stop != Stop::kNone) {
      v1::StopCommand& stop = AddStop(ref, StopReasonOf(it->second.stop), result);
      if (it->second.grace.has_value()) ToProto(*it->second.grace, *stop.mutable_grace());
    }
  }
  return result;
}

}  // namespace

std::string ReasonText(const std::string& reason) {
  constexpr size_t kMostBytes = 500;
  // Cutting may leave half a character.
  return ToValidUtf8(WithoutNul(std::string_view(reason).substr(0, kMostBytes)));
}

Leases::Leases(const std::string& url, const Clock& clock)
    : clock_(clock),
      batcher_(
          url, {.flushers = 1, .max_batch = 2000, .queue_limit = 50'000},
          [this](Session& session, std::vector<Beat> batch) { Flush(session, std::move(batch)); }) {
}

void Leases::Renew(Beat beat) {
  std::vector<Beat> one;
  one.push_back(std::move(beat));
  if (absl::Status status = batcher_.Add(one); !status.ok()) one[0].done(status);
}

void Leases::RenewForPoll(Beat beat) {
  std::optional<absl::Duration> lease_ttl;
  {
    MutexLock lock(mutex_);
    const auto it = renewed_.find(beat.worker);
    const bool fresh = it != renewed_.end() &&
                       clock_.Monotonic() - it->second.at < it->second.lease_ttl * kFreshPart;
    if (fresh) lease_ttl = it->second.lease_ttl;
  }
  if (lease_ttl.has_value()) return beat.done(BeatResult{*lease_ttl, {}});
  Renew(std::move(beat));
}

void Leases::Remember(const std::vector<Beat>& batch, const std::map<Uuid, absl::Duration>& alive,
                      absl::Duration at) {
  MutexLock lock(mutex_);
  if (at >= next_sweep_) {
    absl::erase_if(renewed_, [at](const auto& entry) {
      return at - entry.second.at > entry.second.lease_ttl;
    });
    next_sweep_ = at + kSweepInterval;
  }
  for (const Beat& beat : batch) {
    const auto it = alive.find(beat.worker);
    if (it == alive.end()) {
      renewed_.erase(beat.worker);
    } else {
      renewed_[beat.worker] = {at, it->second};
    }
  }
}

void Leases::Flush(Session& session, std::vector<Beat> batch) {
  const absl::Duration began = clock_.Monotonic();
  auto alive = RenewAll(session, batch);
  auto held = alive.ok() ? ReadHeld(session, batch) : alive.status();
  if (alive.ok()) Remember(batch, *alive, began);
  for (Beat& beat : batch) {
    if (!held.ok()) {
      beat.done(held.status());
      continue;
    }
    const auto it = alive->find(beat.worker);
    it == alive->end() ? beat.done(WorkerUnknown(beat.worker))
                       : beat.done(Answer(beat, it->second, *held));
  }
}

}  // namespace forebay::server
