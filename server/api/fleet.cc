#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/json/json.h"
#include "forebay/v1/fleet.pb.h"
#include "server/api/handlers.h"
#include "server/api/messages.h"
#include "server/api/service_table.h"
#include "server/db/queries.h"
#include "server/store/work_pools.h"

namespace forebay::server {
namespace {

v1::Worker ToWorker(const Rows& rows, size_t row) {
  v1::Worker worker;
  worker.set_name("workers/" + std::string(rows.Text(row, 0)));
  worker.set_display_name(std::string(rows.Text(row, 1)));
  worker.set_work_pool("workPools/" + std::string(rows.Text(row, 2)));
  worker.set_type(std::string(rows.Text(row, 3)));
  for (const std::string& queue : rows.TextArray(row, 4)) worker.add_queues(queue);
  worker.set_slots(static_cast<int>(rows.Int(row, 5)));
  worker.set_version(std::string(rows.Text(row, 6)));
  if (const auto labels = ParseJsonObject(rows.Text(row, 7), "labels"); labels.ok()) {
    for (const auto& [key, value] : labels->items())
      (*worker.mutable_labels())[key] = value.get<std::string>();
  }
  const bool online = rows.Bool(row, 13);
  worker.set_status(!online             ? v1::WORKER_STATUS_OFFLINE
                    : rows.Bool(row, 8) ? v1::WORKER_STATUS_DRAINING
                                        : v1::WORKER_STATUS_ONLINE);
  ToProto(rows.Time(row, 9), *worker.mutable_register_time());
  SetTime(rows.OptionalTime(row, 10), [&] { return worker.mutable_last_seen_time(); });
  worker.set_creator(std::string(rows.Text(row, 11)));
  worker.set_team(std::string(rows.Text(row, 12)));
  worker.set_held_attempts(static_cast<int>(rows.Int(row, 14)));
  worker.set_not_ready_reason(std::string(rows.Text(row, 15)));
  return worker;
}

absl::StatusOr<v1::GetWorkerResponse> Get(Session& session, const Caller&,
                                          const v1::GetWorkerRequest& request) {
  ASSIGN_OR_RETURN(const Uuid id, IdOf(request.name(), "workers", "name"));
  ASSIGN_OR_RETURN(
      Rows rows, session.Run(queries::kListWorkers, Args().Id(id).Null().Bool(true).Null().Int(1)));
  if (rows.empty()) {
    return Error(absl::StatusCode::kNotFound, "WORKER_NOT_FOUND")
        .Field("worker", id.ToString())
        .Next("forebay worker ls --all")
        .Says("worker {} does not exist", id.ToString());
  }
  v1::GetWorkerResponse response;
  *response.mutable_worker() = ToWorker(rows, 0);
  return response;
}

absl::StatusOr<v1::ListWorkersResponse> List(Session& session, const Caller&,
                                             const v1::ListWorkersRequest& request) {
  ASSIGN_OR_RETURN(const int size, PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const auto after, ReadPageToken(request.page_token()));
  Args args;
  args.Null();
  if (request.work_pool().empty()) {
    args.Null();
  } else {
    ASSIGN_OR_RETURN(const std::string pool, PoolNameOf(request.work_pool(), "work_pool"));
    RETURN_IF_ERROR(ReadPool(session, pool).status());
    args.Text(pool);
  }
  args.Bool(request.include_offline());
  if (after.has_value()) {
    ASSIGN_OR_RETURN(const Uuid last, IdOf(*after, "workers", "page_token"));
    args.Id(last);
  } else {
    args.Null();
  }
  args.Int(size + 1);
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kListWorkers, args));
  v1::ListWorkersResponse response;
  std::vector<v1::Worker> workers;
  for (size_t row = 0; row < rows.size(); ++row) workers.push_back(ToWorker(rows, row));
  if (const auto* last = FillPage(std::move(workers), size, *response.mutable_workers())) {
    response.set_next_page_token(MakePageToken(last->name()));
  }
  return response;
}

absl::StatusOr<v1::DrainFleetWorkerResponse> Drain(Backend& backend, Session& session,
                                                   const Caller& caller,
                                                   const v1::DrainFleetWorkerRequest& request) {
  v1::GetWorkerRequest get;
  get.set_name(request.name());
  RETURN_IF_ERROR(Get(session, caller, get).status());
  ASSIGN_OR_RETURN(const Uuid id, IdOf(request.name(), "workers", "name"));
  RETURN_IF_ERROR(session.Run(queries::kSetDraining, Args().Id(id)).status());
  backend.signals.StopWanted(id);
  ASSIGN_OR_RETURN(v1::GetWorkerResponse got, Get(session, caller, get));
  v1::DrainFleetWorkerResponse response;
  response.mutable_worker()->Swap(got.mutable_worker());
  return response;
}

}  // namespace

void RegisterFleet(ServiceTable& table, Backend& backend) {
  table.Blocking<v1::GetWorkerRequest, v1::GetWorkerResponse>("FleetService.GetWorker", Get);
  table.Blocking<v1::ListWorkersRequest, v1::ListWorkersResponse>("FleetService.ListWorkers", List);
  table.Blocking<v1::DrainFleetWorkerRequest, v1::DrainFleetWorkerResponse>(
      "FleetService.DrainFleetWorker",
      [&backend](Session& s, const Caller& c, const auto& r) { return Drain(backend, s, c, r); });
}

}  // namespace forebay::server
