#include "server/claim/commands.h"
#include "common/base/status.h"

#include "server/api/messages.h"
#include "server/db/queries.h"
#include "server/runs/held_attempt.h"

namespace forebay::server {
namespace {

// What the worker shall do now, or nothing.
absl::StatusOr<v1::PollResponse> ReadCommands(Session& session, const Uuid& worker) {
  v1::PollResponse response;
  ASSIGN_OR_RETURN(Rows held, session.Run(queries::kHeldByWorkers,
                                          Args().Array(IdArray(std::span(&worker, 1)))));
  for (size_t row = 0; row < held.size(); ++row) {
    const Stop wanted = ReadStop(held, row, 4);
    if (wanted == Stop::kNone) continue;
    v1::StopCommand& stop = *response.add_stops();
    stop.mutable_attempt()->set_run_id(std::string(held.Text(row, 1)));
    stop.mutable_attempt()->set_attempt(static_cast<int>(held.Int(row, 2)));
    stop.mutable_attempt()->set_epoch(held.Int(row, 3));
    stop.set_reason(StopReasonOf(wanted));
    if (const auto grace = held.OptionalInt(row, 5))
      ToProto(absl::Milliseconds(*grace), *stop.mutable_grace());
  }
  ASSIGN_OR_RETURN(Rows known, session.Run(queries::kReadWorker, Args().Id(worker)));
  if (!known.empty()) response.set_drain(known.Bool(0, 3));
  return response;
}

}  // namespace

void Commands::Raise(const Uuid& worker) {
  {
    MutexLock lock(mutex_);
    undelivered_.insert(worker);
  }
  PollParked(worker);
}

void Commands::PollParked(const Uuid& worker) {
  {
    MutexLock lock(mutex_);
    if (!undelivered_.contains(worker)) return;
  }
  // A full queue leaves it undelivered: the beat says it within a few seconds.
  executor_.Submit([this, worker](Session& session) { Deliver(session, worker); }).IgnoreError();
}

void Commands::Deliver(Session& session, const Uuid& worker) {
  const auto response = ReadCommands(session, worker);
  if (!response.ok()) return;
  const bool nothing = response->stops().empty() && !response->drain();
  if (!nothing && !parking_.Command(worker, *response)) return;
  MutexLock lock(mutex_);
  undelivered_.erase(worker);
}

}  // namespace forebay::server
