#include "server/store/work_queues.h"

#include <algorithm>

#include "common/base/status.h"
#include "common/base/text.h"
#include "server/api/messages.h"
#include "server/db/queries.h"
#include "server/store/snapshots.h"
#include "server/store/work_pools.h"

namespace forebay::server {
namespace {

StoredQueue ToQueue(const Rows& rows, size_t row) {
  StoredQueue stored;
  stored.id = rows.Id(row, 0);
  stored.pool = rows.Id(row, 11);
  v1::WorkQueue& queue = stored.queue;
  queue.set_uid(std::string(rows.Text(row, 0)));
  queue.set_name("workPools/" + std::string(rows.Text(row, 1)) + "/queues/" +
                 std::string(rows.Text(row, 2)));
  queue.set_description(std::string(rows.Text(row, 3)));
  queue.set_priority(static_cast<int>(rows.Int(row, 4)));
  if (const auto limit = rows.OptionalInt(row, 5))
    queue.set_concurrency_limit(static_cast<int>(*limit));
  queue.set_paused(rows.Bool(row, 6));
  ToProto(rows.Time(row, 7), *queue.mutable_create_time());
  ToProto(rows.Time(row, 8), *queue.mutable_update_time());
  queue.set_queued_runs(rows.Int(row, 9));
  queue.set_held_attempts(rows.Int(row, 10));
  return stored;
}

absl::Status QueueNotFound(Session& session, const std::string& pool, const std::string& name) {
  ASSIGN_OR_RETURN(const auto known, ListQueues(session, pool, std::nullopt, std::nullopt, 1000));
  if (known.empty()) return PoolNotFound(session, pool);
  std::vector<std::string> names;
  for (const StoredQueue& stored : known)
    names.emplace_back(Split(stored.queue.name(), '/').back());
  const std::string nearest = NearestName(name, names);
  return Error(absl::StatusCode::kNotFound, "WORK_QUEUE_NOT_FOUND")
      .Field("work_queue", name)
      .With("nearest", nearest)
      .With("allowed", Join(names, ", "))
      .Next(fmt::format("forebay work-queue create {} --pool {}", name, pool))
      .Says("work pool '{}' has no queue '{}'; it has {}{}", pool, name, Join(names, ", "),
            nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest));
}

}  // namespace

absl::Status CheckQueue(const v1::WorkQueue& queue) {
  if (queue.has_concurrency_limit() && queue.concurrency_limit() < 0) {
    return Error(absl::StatusCode::kInvalidArgument, "OUT_OF_RANGE")
        .Field("concurrency_limit", std::to_string(queue.concurrency_limit()))
        .Says("concurrency_limit is {}; it must be 0 or more", queue.concurrency_limit());
  }
  if (queue.priority() < 0) {
    return Error(absl::StatusCode::kInvalidArgument, "OUT_OF_RANGE")
        .Field("priority", std::to_string(queue.priority()))
        .Says("priority is {}; it must be 1 or more, 1 is first", queue.priority());
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<StoredQueue>> ListQueues(Session& session, const std::string& pool,
                                                    const std::optional<std::string>& only,
                                                    const std::optional<QueueKey>& after,
                                                    int limit) {
  Args args;
  args.Text(pool);
  only.has_value() ? args.Text(*only) : args.Null();
  after.has_value() ? args.Int(after->priority) : args.Null();
  after.has_value() ? args.Text(after->name) : args.Null();
  args.Int(limit);
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kListQueues, args));
  std::vector<StoredQueue> queues;
  for (size_t row = 0; row < rows.size(); ++row) queues.push_back(ToQueue(rows, row));
  return queues;
}

absl::StatusOr<StoredQueue> ReadQueue(Session& session, const std::string& pool,
                                      const std::string& name) {
  ASSIGN_OR_RETURN(auto queues, ListQueues(session, pool, name, std::nullopt, 1));
  if (queues.empty()) return QueueNotFound(session, pool, name);
  return queues[0];
}

absl::Status InsertQueue(Session& session, const Caller& caller, const Uuid& id, const Uuid& pool,
                         const v1::WorkQueue& queue, const std::string& name) {
  Args args;
  args.Id(id).Id(pool).Text(name).Text(queue.description());
  queue.priority() > 0 ? args.Int(queue.priority()) : args.Null();
  queue.has_concurrency_limit() ? args.Int(queue.concurrency_limit()) : args.Null();
  args.Id(caller.team).Id(caller.user);
  RETURN_IF_ERROR(session.Run(queries::kInsertQueue, args).status());
  if (!queue.has_concurrency_limit()) return absl::OkStatus();
  return SetCounter(session, pool, "queue", id, true);
}

absl::Status UpdateQueue(Session& session, const StoredQueue& stored, const v1::WorkQueue& queue,
                         const std::vector<std::string>& mask) {
  const auto named = [&](std::string_view path) {
    return std::find(mask.begin(), mask.end(), path) != mask.end();
  };
  if (named("concurrency_limit")) {
    RETURN_IF_ERROR(
        SetCounter(session, stored.pool, "queue", stored.id, queue.has_concurrency_limit()));
  }
  Args args;
  args.Id(stored.id).Bool(named("description")).Text(queue.description());
  args.Bool(named("priority")).Int(queue.priority());
  args.Bool(named("concurrency_limit"));
  queue.has_concurrency_limit() ? args.Int(queue.concurrency_limit()) : args.Null();
  return session.Run(queries::kUpdateQueue, args).status();
}

absl::Status DeleteQueue(Session& session, const StoredQueue& stored) {
  const std::string name(Split(stored.queue.name(), '/').back());
  RETURN_IF_ERROR(session.Run(queries::kOwnLimits, Args().Id(stored.pool)).status());
  ASSIGN_OR_RETURN(Rows needs, session.Run(queries::kQueueNeeds, Args().Id(stored.id)));
  if (needs.Int(0, 0) > 0) {
    return Error(absl::StatusCode::kFailedPrecondition, "QUEUE_HAS_RUNS")
        .Field("work_queue", name)
        .Next("forebay flow-run ls")
        .Says("work queue '{}' has {} waiting or running runs", name, needs.Int(0, 0));
  }
  if (needs.Int(0, 1) > 0) {
    return Error(absl::StatusCode::kFailedPrecondition, "QUEUE_HAS_DEPLOYMENTS")
        .Field("work_queue", name)
        .Next("forebay deployment ls")
        .Says("work queue '{}' is used by {} deployments", name, needs.Int(0, 1));
  }
  return session.Run(queries::kDeleteQueue, Args().Id(stored.id)).status();
}

}  // namespace forebay::server
