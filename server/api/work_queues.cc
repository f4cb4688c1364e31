#include <algorithm>
#include <array>

#include <fmt/ranges.h>

#include "common/base/status.h"
#include "common/base/text.h"
#include "server/api/handlers.h"
#include "server/api/messages.h"
#include "server/api/service_table.h"
#include "server/api/update_mask.h"
#include "server/db/queries.h"
#include "server/store/work_pools.h"
#include "server/store/work_queues.h"

namespace forebay::server {
namespace {

constexpr std::array<std::string_view, 3> kUpdatable = {"description", "priority",
                                                        "concurrency_limit"};

absl::StatusOr<v1::CreateWorkQueueResponse> Create(Backend& backend, Session& session,
                                                   const Caller& caller,
                                                   const v1::CreateWorkQueueRequest& request) {
  ASSIGN_OR_RETURN(const QueueName name, QueueNameOf(request.work_queue().name(), "name"));
  RETURN_IF_ERROR(CheckQueue(request.work_queue()));
  absl::Status inserted = InTransaction(session, [&]() -> absl::Status {
    ASSIGN_OR_RETURN(const LockedPool pool, LockPool(session, name.pool));
    return InsertQueue(session, caller, backend.ids.Next(), pool.id, request.work_queue(),
                       name.queue);
  });
  if (inserted.code() == absl::StatusCode::kAlreadyExists) {
    return Error(absl::StatusCode::kAlreadyExists, "WORK_QUEUE_EXISTS")
        .Field("name", name.queue)
        .Next(fmt::format("forebay work-queue inspect {} --pool {}", name.queue, name.pool))
        .Says("work pool '{}' has a queue '{}' already", name.pool, name.queue);
  }
  RETURN_IF_ERROR(inserted);
  v1::CreateWorkQueueResponse response;
  ASSIGN_OR_RETURN(StoredQueue stored, ReadQueue(session, name.pool, name.queue));
  *response.mutable_work_queue() = std::move(stored.queue);
  return response;
}

absl::StatusOr<v1::GetWorkQueueResponse> Get(Session& session, const Caller&,
                                             const v1::GetWorkQueueRequest& request) {
  ASSIGN_OR_RETURN(const QueueName name, QueueNameOf(request.name(), "name"));
  ASSIGN_OR_RETURN(StoredQueue stored, ReadQueue(session, name.pool, name.queue));
  v1::GetWorkQueueResponse response;
  *response.mutable_work_queue() = std::move(stored.queue);
  return response;
}

// A page token holds "<priority> <name>".
absl::StatusOr<std::optional<QueueKey>> ReadKey(const std::string& token) {
  ASSIGN_OR_RETURN(const auto text, ReadPageToken(token));
  if (!text.has_value()) return std::optional<QueueKey>();
  const auto parts = Split(*text, ' ');
  QueueKey key;
  key.priority = static_cast<int>(ParseInt(parts[0]).value_or(0));
  if (parts.size() > 1) key.name = parts[1];
  return std::optional<QueueKey>(std::move(key));
}

absl::StatusOr<v1::ListWorkQueuesResponse> List(Session& session, const Caller&,
                                                const v1::ListWorkQueuesRequest& request) {
  ASSIGN_OR_RETURN(const std::string pool, PoolNameOf(request.parent(), "parent"));
  ASSIGN_OR_RETURN(const int size, PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const auto after, ReadKey(request.page_token()));
  RETURN_IF_ERROR(ReadPool(session, pool).status());
  ASSIGN_OR_RETURN(auto stored, ListQueues(session, pool, std::nullopt, after, size + 1));
  v1::ListWorkQueuesResponse response;
  std::vector<v1::WorkQueue> queues;
  for (StoredQueue& one : stored) queues.push_back(std::move(one.queue));
  if (const auto* last = FillPage(std::move(queues), size, *response.mutable_work_queues())) {
    response.set_next_page_token(
        MakePageToken(fmt::format("{} {}", last->priority(), Split(last->name(), '/').back())));
  }
  return response;
}

absl::StatusOr<v1::UpdateWorkQueueResponse> Update(Backend& backend, Session& session,
                                                   const Caller&,
                                                   const v1::UpdateWorkQueueRequest& request) {
  const v1::WorkQueue& queue = request.work_queue();
  ASSIGN_OR_RETURN(const QueueName name, QueueNameOf(queue.name(), "name"));
  RETURN_IF_ERROR(CheckQueue(queue));
  ASSIGN_OR_RETURN(const UpdateMask mask,
                   UpdateMask::Parse(request.update_mask(), kUpdatable, "a work queue"));
  if (mask.Names("priority") && queue.priority() < 1) {
    return Error(absl::StatusCode::kInvalidArgument, "OUT_OF_RANGE")
        .Field("priority", std::to_string(queue.priority()))
        .With("allowed", "1 or more")
        .Says("priority is {}; it must be 1 or more, 1 is first", queue.priority());
  }
  StoredQueue stored;
  RETURN_IF_ERROR(InTransaction(session, [&]() -> absl::Status {
    RETURN_IF_ERROR(LockPool(session, name.pool).status());
    ASSIGN_OR_RETURN(stored, ReadQueue(session, name.pool, name.queue));
    return UpdateQueue(session, stored, queue, mask.paths());
  }));
  backend.signals.WorkReady(stored.pool);
  ASSIGN_OR_RETURN(stored, ReadQueue(session, name.pool, name.queue));
  v1::UpdateWorkQueueResponse response;
  *response.mutable_work_queue() = std::move(stored.queue);
  return response;
}

absl::StatusOr<v1::DeleteWorkQueueResponse> Delete(Session& session, const Caller&,
                                                   const v1::DeleteWorkQueueRequest& request) {
  ASSIGN_OR_RETURN(const QueueName name, QueueNameOf(request.name(), "name"));
  if (name.queue == "default") {
    return Error(absl::StatusCode::kFailedPrecondition, "DEFAULT_QUEUE")
        .Field("work_queue", name.queue)
        .Next(fmt::format("forebay work-queue pause default --pool {}", name.pool))
        .Says("every work pool keeps its queue 'default'; pause it instead");
  }
  RETURN_IF_ERROR(InTransaction(session, [&]() -> absl::Status {
    RETURN_IF_ERROR(LockPool(session, name.pool).status());
    ASSIGN_OR_RETURN(const StoredQueue stored, ReadQueue(session, name.pool, name.queue));
    return DeleteQueue(session, stored);
  }));
  return v1::DeleteWorkQueueResponse();
}

absl::StatusOr<v1::WorkQueue> SetPaused(Backend& backend, Session& session,
                                        const std::string& resource, bool paused) {
  ASSIGN_OR_RETURN(const QueueName name, QueueNameOf(resource, "name"));
  ASSIGN_OR_RETURN(StoredQueue stored, ReadQueue(session, name.pool, name.queue));
  RETURN_IF_ERROR(
      session.Run(queries::kSetQueuePaused, Args().Id(stored.id).Bool(paused)).status());
  backend.signals.WorkReady(stored.pool);
  ASSIGN_OR_RETURN(stored, ReadQueue(session, name.pool, name.queue));
  return stored.queue;
}

}  // namespace

void RegisterWorkQueues(ServiceTable& table, Backend& backend) {
  using namespace v1;  // NOLINT(google-build-using-namespace)
  table.Blocking<CreateWorkQueueRequest, CreateWorkQueueResponse>(
      "WorkQueueService.CreateWorkQueue",
      [&backend](Session& s, const Caller& c, const auto& r) { return Create(backend, s, c, r); });
  table.Blocking<GetWorkQueueRequest, GetWorkQueueResponse>("WorkQueueService.GetWorkQueue", Get);
  table.Blocking<ListWorkQueuesRequest, ListWorkQueuesResponse>("WorkQueueService.ListWorkQueues",
                                                                List);
  table.Blocking<UpdateWorkQueueRequest, UpdateWorkQueueResponse>(
      "WorkQueueService.UpdateWorkQueue",
      [&backend](Session& s, const Caller& c, const auto& r) { return Update(backend, s, c, r); });
  table.Blocking<DeleteWorkQueueRequest, DeleteWorkQueueResponse>(
      "WorkQueueService.DeleteWorkQueue", Delete);
  table.Blocking<PauseWorkQueueRequest, PauseWorkQueueResponse>(
      "WorkQueueService.PauseWorkQueue",
      [&backend](Session& s, const Caller&,
                 const auto& r) -> absl::StatusOr<PauseWorkQueueResponse> {
        PauseWorkQueueResponse response;
        ASSIGN_OR_RETURN(*response.mutable_work_queue(), SetPaused(backend, s, r.name(), true));
        return response;
      });
  table.Blocking<ResumeWorkQueueRequest, ResumeWorkQueueResponse>(
      "WorkQueueService.ResumeWorkQueue",
      [&backend](Session& s, const Caller&,
                 const auto& r) -> absl::StatusOr<ResumeWorkQueueResponse> {
        ResumeWorkQueueResponse response;
        ASSIGN_OR_RETURN(*response.mutable_work_queue(), SetPaused(backend, s, r.name(), false));
        return response;
      });
}

}  // namespace forebay::server
