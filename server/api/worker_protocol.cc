#include <algorithm>

#include "common/base/status.h"
#include "server/api/handlers.h"
#include "server/api/messages.h"
#include "server/api/service_table_grpc.h"
#include "server/claim/assignment.h"
#include "server/claim/registration.h"
#include "server/claim/replay.h"
#include "server/db/queries.h"

namespace forebay::server {
namespace {

constexpr int kMostReports = 1000;
constexpr int kMostSightings = 10'000;

absl::Status TooMany(std::string_view field, int count, int most) {
  return Error(absl::StatusCode::kInvalidArgument, "TOO_LARGE")
      .Field(field, std::to_string(count))
      .Says("{} has {} items; at most {} are taken", field, count, most);
}

using KnownWorkerPtr = std::shared_ptr<const KnownWorker>;

// Finds the worker that the caller speaks for: from memory on this thread, else from the database
// on another.
void WithWorker(Backend& backend, const Caller& caller, const std::string& text,
                std::function<void(absl::StatusOr<KnownWorkerPtr>)> go) {
  const auto id = IdOf(text, "workers", "worker_id");
  if (!id.ok()) return go(id.status());
  const auto admit = [caller](KnownWorkerPtr worker) -> absl::StatusOr<KnownWorkerPtr> {
    RETURN_IF_ERROR(CheckSpeaksFor(caller, *worker));
    return worker;
  };
  if (auto worker = backend.workers.Remembered(*id)) return go(admit(std::move(worker)));
  const absl::Status queued =
      backend.executor.Submit([&backend, id = *id, admit, go](Session& session) {
        auto loaded = backend.workers.Load(session, id);
        loaded.ok() ? go(admit(*std::move(loaded))) : go(loaded.status());
      });
  if (!queued.ok()) go(queued);
}

// An idle poll is a sign of life too; nobody waits for its renewal. A lease that turns out to be
// over ends the poll.
void BeatForPoll(Backend& backend, const KnownWorker& worker, uint64_t poll) {
  Beat beat;
  beat.worker = worker.id;
  beat.done = [&backend, id = worker.id, pool = worker.pool,
               poll](absl::StatusOr<BeatResult> result) {
    if (result.ok() || ReasonOf(result.status()) != "WORKER_UNKNOWN") return;
    backend.workers.Forget(id);
    backend.parking.Fail(pool, poll, result.status());
  };
  backend.leases.RenewForPoll(std::move(beat));
}

void ParkPoll(Backend& backend, const KnownWorker& worker, const v1::PollRequest& request,
              const Uuid& request_id, const Responder<v1::PollResponse>& respond) {
  Poll poll;
  poll.worker = worker.id;
  poll.pool = worker.pool;
  poll.request = request_id;
  poll.free_slots = worker.draining ? 0 : std::max(request.free_slots(), 0);
  poll.pool_revision = request.pool_revision();
  poll.queues = worker.queues;
  // Jittered down, so that polls parked together do not come back together.
  poll.deadline =
      backend.clock.Monotonic() + backend.poll_deadline * (1.0 - 0.2 * backend.random.Unit());
  poll.respond = respond;
  // A call that was given up before it got here must not take the place of its successor.
  if (respond.call().cancelled()) return respond(absl::CancelledError("the client went away"));
  backend.parking.ReplaceEarlier(worker.id);
  const uint64_t id = backend.parking.Park(std::move(poll));
  respond.call().OnCancelled([&backend, id] { backend.parking.Leave(id); });
  BeatForPoll(backend, worker, id);
  backend.commands.PollParked(worker.id);
  backend.submitter.SlotsCame(worker.pool);
  backend.dispatcher.DemandArrived(worker.pool);
}

// Grants of an earlier call whose answer was lost, or the pool's newer revision, are answered at
// once.
void AnswerOrPark(Backend& backend, Session* session, const KnownWorkerPtr& worker,
                  const v1::PollRequest& request, const Uuid& request_id,
                  const Responder<v1::PollResponse>& respond) {
  v1::PollResponse response;
  if (request.replay()) {
    auto replayed =
        ReplayGrants(*session, backend.snapshots, backend.random, worker->id, request_id);
    if (!replayed.ok()) return respond(replayed.status());
    for (v1::Assignment& assignment : *replayed)
      *response.add_assignments() = std::move(assignment);
    // Their tickets are new: what an earlier delivery left for this request is worthless.
    if (!response.assignments().empty()) backend.parking.DropUndelivered(worker->id);
  }
  const auto pool = backend.snapshots.RememberedPool(worker->pool);
  if (pool != nullptr && pool->revision > request.pool_revision())
    *response.mutable_pool() = ToProto(*pool);
  if (!response.assignments().empty() || response.has_pool()) return respond(std::move(response));
  ParkPoll(backend, *worker, request, request_id, respond);
}

void PollFor(Backend& backend, const Caller& caller, const v1::PollRequest& request,
             const Responder<v1::PollResponse>& respond) {
  const auto request_id = Uuid::Parse(request.request_id());
  if (!request_id.has_value()) {
    return respond(Error(absl::StatusCode::kInvalidArgument, "INVALID_REQUEST_ID")
                       .Field("request_id", request.request_id())
                       .Says("request_id '{}' is not a UUID", request.request_id()));
  }
  WithWorker(backend, caller, request.worker_id(),
             [&backend, request, request_id = *request_id,
              respond](absl::StatusOr<KnownWorkerPtr> worker) {
               if (!worker.ok()) return respond(worker.status());
               const bool known_pool = backend.snapshots.RememberedPool((*worker)->pool) != nullptr;
               if (!request.replay() && known_pool) {
                 return AnswerOrPark(backend, nullptr, *worker, request, request_id, respond);
               }
               const absl::Status queued = backend.executor.Submit(
                   [&backend, worker = *worker, request, request_id, respond](Session& session) {
                     const auto pool = backend.snapshots.Pool(session, worker->pool);
                     if (!pool.ok()) return respond(pool.status());
                     AnswerOrPark(backend, &session, worker, request, request_id, respond);
                   });
               if (!queued.ok()) respond(queued);
             });
}

void Report(Backend& backend, const Caller& caller, const v1::ReportAttemptsRequest& request,
            const Responder<v1::ReportAttemptsResponse>& respond) {
  if (request.reports_size() > kMostReports)
    return respond(TooMany("reports", request.reports_size(), kMostReports));
  WithWorker(backend, caller, request.worker_id(),
             [&backend, request, respond](absl::StatusOr<KnownWorkerPtr> worker) {
               if (!worker.ok()) return respond(worker.status());
               ReportRequest report;
               report.worker = (*worker)->id;
               report.pool = (*worker)->pool;
               report.reports.assign(request.reports().begin(), request.reports().end());
               report.done = [respond](absl::StatusOr<std::vector<v1::ReportResult>> results) {
                 if (!results.ok()) return respond(results.status());
                 v1::ReportAttemptsResponse response;
                 for (v1::ReportResult& result : *results)
                   *response.add_results() = std::move(result);
                 respond(std::move(response));
               };
               backend.reporter.Report(std::move(report));
             });
}

void AppendLogs(Backend& backend, const Caller& caller, const v1::AppendAttemptLogsRequest& request,
                const Responder<v1::AppendAttemptLogsResponse>& respond) {
  WithWorker(backend, caller, request.worker_id(),
             [&backend, request, respond](absl::StatusOr<KnownWorkerPtr> worker) {
               if (!worker.ok()) return respond(worker.status());
               LogAppend append;
               append.worker = (*worker)->id;
               append.logs.assign(request.logs().begin(), request.logs().end());
               append.done = [respond](absl::StatusOr<std::vector<v1::AppendResult>> results) {
                 if (!results.ok()) return respond(results.status());
                 v1::AppendAttemptLogsResponse response;
                 for (v1::AppendResult& result : *results)
                   *response.add_results() = std::move(result);
                 respond(std::move(response));
               };
               backend.logs.Append(std::move(append));
             });
}

void Heartbeat(Backend& backend, const Caller& caller, const v1::HeartbeatRequest& request,
               const Responder<v1::HeartbeatResponse>& respond) {
  WithWorker(backend, caller, request.worker_id(),
             [&backend, request, respond](absl::StatusOr<KnownWorkerPtr> worker) {
               if (!worker.ok()) return respond(worker.status());
               Beat beat;
               beat.worker = (*worker)->id;
               beat.held.assign(request.held().begin(), request.held().end());
               beat.not_ready_reason = ReasonText(request.not_ready_reason());
               beat.done = [&backend, id = (*worker)->id,
                            respond](absl::StatusOr<BeatResult> result) {
                 if (!result.ok()) {
                   if (ReasonOf(result.status()) == "WORKER_UNKNOWN") backend.workers.Forget(id);
                   return respond(result.status());
                 }
                 v1::HeartbeatResponse response;
                 for (v1::StopCommand& stop : result->stops)
                   *response.add_stops() = std::move(stop);
                 ToProto(BeatInterval(result->lease_ttl), *response.mutable_heartbeat_interval());
                 ToProto(result->lease_ttl, *response.mutable_lease_ttl());
                 respond(std::move(response));
               };
               backend.leases.Renew(std::move(beat));
             });
}

absl::StatusOr<KnownWorkerPtr> LoadWorker(Backend& backend, Session& session, const Caller& caller,
                                          const std::string& text) {
  ASSIGN_OR_RETURN(const Uuid id, IdOf(text, "workers", "worker_id"));
  ASSIGN_OR_RETURN(KnownWorkerPtr worker, backend.workers.Load(session, id));
  RETURN_IF_ERROR(CheckSpeaksFor(caller, *worker));
  return worker;
}

absl::StatusOr<v1::AdoptAttemptsResponse> Adopt(Backend& backend, Session& session,
                                                const Caller& caller,
                                                const v1::AdoptAttemptsRequest& request) {
  if (request.sightings_size() > kMostSightings) {
    return TooMany("sightings", request.sightings_size(), kMostSightings);
  }
  ASSIGN_OR_RETURN(const KnownWorkerPtr worker,
                   LoadWorker(backend, session, caller, request.worker_id()));
  return AdoptAttempts(session, backend.snapshots, backend.random, *worker, request);
}

absl::StatusOr<v1::DrainWorkerResponse> Drain(Backend& backend, Session& session,
                                              const Caller& caller,
                                              const v1::DrainWorkerRequest& request) {
  ASSIGN_OR_RETURN(const KnownWorkerPtr worker,
                   LoadWorker(backend, session, caller, request.worker_id()));
  RETURN_IF_ERROR(session.Run(queries::kSetDraining, Args().Id(worker->id)).status());
  RETURN_IF_ERROR(backend.workers.Load(session, worker->id).status());
  // A poll parked before the drain still offers slots.
  v1::PollResponse told;
  told.set_drain(true);
  backend.parking.Command(worker->id, told);
  return v1::DrainWorkerResponse();
}

absl::StatusOr<v1::DeregisterWorkerResponse> Deregister(
    Backend& backend, Session& session, const Caller& caller,
    const v1::DeregisterWorkerRequest& request) {
  const auto worker = LoadWorker(backend, session, caller, request.worker_id());
  // Gone already: what was wanted.
  if (absl::IsNotFound(worker.status())) return v1::DeregisterWorkerResponse();
  RETURN_IF_ERROR(worker.status());
  backend.parking.ReplaceEarlier((*worker)->id);
  RETURN_IF_ERROR(EndLeases(session, {(*worker)->id}));
  backend.workers.Forget((*worker)->id);
  return v1::DeregisterWorkerResponse();
}

}  // namespace

void RegisterWorkerProtocol(ServiceTable& table, Backend& backend) {
  using namespace v1;  // NOLINT(google-build-using-namespace)
  table.Blocking<RegisterWorkerRequest, RegisterWorkerResponse>(
      "WorkerService.RegisterWorker",
      [&backend](Session& s, const Caller& c,
                 const auto& r) -> absl::StatusOr<RegisterWorkerResponse> {
        ASSIGN_OR_RETURN(auto response, RegisterWorker(s, backend.snapshots, backend.ids, c, r));
        response.set_http_url(backend.http_url);
        return response;
      });
  table.Async<PollRequest, PollResponse>("WorkerService.Poll",
                                         [&backend](const Caller& c, const auto& r, auto respond) {
                                           PollFor(backend, c, r, respond);
                                         });
  table.Async<ReportAttemptsRequest, ReportAttemptsResponse>(
      "WorkerService.ReportAttempts",
      [&backend](const Caller& c, const auto& r, auto respond) { Report(backend, c, r, respond); });
  table.Async<AppendAttemptLogsRequest, AppendAttemptLogsResponse>(
      "WorkerService.AppendAttemptLogs", [&backend](const Caller& c, const auto& r, auto respond) {
        AppendLogs(backend, c, r, respond);
      });
  table.Async<HeartbeatRequest, HeartbeatResponse>(
      "WorkerService.Heartbeat", [&backend](const Caller& c, const auto& r, auto respond) {
        Heartbeat(backend, c, r, respond);
      });
  table.Blocking<AdoptAttemptsRequest, AdoptAttemptsResponse>(
      "WorkerService.AdoptAttempts",
      [&backend](Session& s, const Caller& c, const auto& r) { return Adopt(backend, s, c, r); });
  table.Blocking<DrainWorkerRequest, DrainWorkerResponse>(
      "WorkerService.DrainWorker",
      [&backend](Session& s, const Caller& c, const auto& r) { return Drain(backend, s, c, r); });
  table.Blocking<DeregisterWorkerRequest, DeregisterWorkerResponse>(
      "WorkerService.DeregisterWorker", [&backend](Session& s, const Caller& c, const auto& r) {
        return Deregister(backend, s, c, r);
      });
  // Once a worker only, but gRPC reserves for the calls of a connection what the largest before
  // took.
  table.Frequent<RegisterWorkerRequest, RegisterWorkerResponse>("WorkerService.RegisterWorker");
  table.Frequent<PollRequest, PollResponse>("WorkerService.Poll");
  table.Frequent<ReportAttemptsRequest, ReportAttemptsResponse>("WorkerService.ReportAttempts");
  table.Frequent<AppendAttemptLogsRequest, AppendAttemptLogsResponse>(
      "WorkerService.AppendAttemptLogs");
  table.Frequent<HeartbeatRequest, HeartbeatResponse>("WorkerService.Heartbeat");
}

}  // namespace forebay::server
