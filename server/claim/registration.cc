#include "server/claim/registration.h"

#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/json/json.h"
#include "server/api/messages.h"
#include "server/claim/assignment.h"
#include "server/claim/leases.h"
#include "server/db/queries.h"
#include "server/store/work_queues.h"

namespace forebay::server {
namespace {

constexpr int kMostSlots = 10'000;
constexpr size_t kMostNameBytes = 63;

absl::Status Invalid(std::string_view field, std::string_view value, std::string_view rule) {
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_WORKER")
      .Field(field, value)
      .Says("{} '{}' {}", field, value, rule);
}

absl::Status CheckRequest(Session& session, const v1::RegisterWorkerRequest& request,
                          const PoolSnapshot& pool) {
  if (request.name().empty() || request.name().size() > kMostNameBytes) {
    return Invalid("name", request.name(), "must have 1 to 63 bytes");
  }
  if (request.slots() < 1 || request.slots() > kMostSlots) {
    return Invalid("slots", std::to_string(request.slots()), "must be between 1 and 10000");
  }
  if (!Uuid::Parse(request.instance_id()).has_value()) {
    return Invalid("instance_id", request.instance_id(), "is not a UUID");
  }
  if (request.type() != pool.type) {
    return Error(absl::StatusCode::kFailedPrecondition, "POOL_TYPE_MISMATCH")
        .Field("type", request.type())
        .With("allowed", pool.type)
        .Next(fmt::format("forebay worker start --pool {}", pool.name))
        .Says("work pool '{}' is of type '{}', this worker of type '{}'", pool.name, pool.type,
              request.type());
  }
  for (const std::string& queue : request.queues()) {
    RETURN_IF_ERROR(ReadQueue(session, pool.name, queue).status());
  }
  return absl::OkStatus();
}

absl::StatusOr<Uuid> InsertWorker(Session& session, UuidSource& ids, const Caller& caller,
                                  const PoolSnapshot& pool,
                                  const v1::RegisterWorkerRequest& request) {
  Json labels = Json::object();
  for (const auto& [key, value] : request.labels()) labels[key] = value;
  const std::vector<std::string> queues(request.queues().begin(), request.queues().end());
  Args args;
  args.Id(ids.Next())
      .Id(pool.id)
      .Text(request.instance_id())
      .Text(request.name())
      .Text(request.type());
  args.Array(TextArray(queues)).Int(request.slots()).Text(request.version()).Text(DumpJson(labels));
  args.Id(caller.credential).Id(caller.team).Id(caller.user);
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kInsertWorker, args));
  if (rows.Bool(0, 2)) {
    return Error(absl::StatusCode::kFailedPrecondition, "INSTANCE_ENDED")
        .Field("instance_id", request.instance_id())
        .Says("worker instance {} has ended; register with a fresh instance id",
              request.instance_id());
  }
  return rows.Id(0, 0);
}

// Only workers of the caller's own pool, so that a stolen key cannot end another pool's leases.
absl::Status Replace(Session& session, const PoolSnapshot& pool,
                     const v1::RegisterWorkerRequest& request, const Uuid& successor) {
  std::vector<Uuid> claimed;
  for (const std::string& text : request.replaces()) {
    const auto id = Uuid::Parse(text);
    if (id.has_value() && *id != successor) claimed.push_back(*id);
  }
  if (claimed.empty()) return absl::OkStatus();
  ASSIGN_OR_RETURN(
      Rows rows, session.Run(queries::kWorkersOfPool, Args().Array(IdArray(claimed)).Id(pool.id)));
  std::vector<Uuid> own;
  for (size_t row = 0; row < rows.size(); ++row) own.push_back(rows.Id(row, 0));
  return EndLeases(session, own);
}

}  // namespace

absl::Status EndLeases(Session& session, const std::vector<Uuid>& workers) {
  if (workers.empty()) return absl::OkStatus();
  return session.Run(queries::kEndLeases, Args().Array(IdArray(workers))).status();
}

absl::StatusOr<v1::RegisterWorkerResponse> RegisterWorker(
    Session& session, Snapshots& snapshots, UuidSource& ids, const Caller& caller,
    const v1::RegisterWorkerRequest& request) {
  ASSIGN_OR_RETURN(const std::string name, PoolNameOf(request.pool(), "pool"));
  ASSIGN_OR_RETURN(const auto pool, snapshots.PoolByName(session, name));
  if (pool->id != caller.pool) {
    return Error(absl::StatusCode::kPermissionDenied, "NOT_YOUR_POOL")
        .Field("pool", name)
        .Next(fmt::format("forebay worker token --pool {}", name))
        .Says("this worker key is bound to another pool than '{}'", name);
  }
  RETURN_IF_ERROR(CheckRequest(session, request, *pool));
  Uuid id;
  RETURN_IF_ERROR(InTransaction(session, [&]() -> absl::Status {
    ASSIGN_OR_RETURN(id, InsertWorker(session, ids, caller, *pool, request));
    RETURN_IF_ERROR(Replace(session, *pool, request, id));
    return session
        .Run(queries::kOpenLease, Args()
                                      .Id(id)
                                      .Int(absl::ToInt64Milliseconds(pool->lease_ttl))
                                      .Text(ReasonText(request.not_ready_reason())))
        .status();
  }));
  v1::RegisterWorkerResponse response;
  response.set_worker_id(id.ToString());
  *response.mutable_pool() = ToProto(*pool);
  ToProto(BeatInterval(pool->lease_ttl), *response.mutable_heartbeat_interval());
  return response;
}

}  // namespace forebay::server
