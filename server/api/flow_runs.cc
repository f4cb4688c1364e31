#include "common/base/status.h"
#include "server/api/handlers.h"
#include "server/api/long_poll.h"
#include "server/api/messages.h"
#include "server/api/service_table_grpc.h"
#include "server/runs/by_hand.h"
#include "server/runs/cancel.h"
#include "server/runs/run_view.h"
#include "server/store/deployments.h"
#include "server/store/work_pools.h"
#include "server/store/work_queues.h"

namespace forebay::server {
namespace {

constexpr int kMostPerBatch = 1000;

// An earlier run under the same idempotency key.
void AnswerExisting(Backend& backend, const Caller& caller, const Uuid& id,
                    const Responder<v1::CreateFlowRunResponse>& respond) {
  const absl::Status queued = backend.executor.Submit([caller, id, respond](Session& session) {
    auto run = ReadRun(session, caller.team, id, v1::RUN_VIEW_BASIC);
    if (!run.ok()) return respond(run.status());
    v1::CreateFlowRunResponse response;
    response.set_existed(true);
    response.mutable_flow_run()->Swap(&*run);
    respond(std::move(response));
  });
  if (!queued.ok()) respond(queued);
}

void Create(Backend& backend, const Caller& caller, const v1::CreateFlowRunRequest& request,
            const Responder<v1::CreateFlowRunResponse>& respond) {
  backend.intake.Submit(caller, {{request}}, true,
                        [&backend, caller, respond](Intake::Outcomes& outcomes) {
                          absl::StatusOr<Accepted>& outcome = outcomes[0];
                          if (!outcome.ok()) return respond(outcome.status());
                          if (outcome->existed)
                            return AnswerExisting(backend, caller, outcome->run, respond);
                          v1::CreateFlowRunResponse response;
                          response.mutable_flow_run()->Swap(&*outcome->receipt);
                          respond(std::move(response));
                        });
}

void BatchCreate(Backend& backend, const Caller& caller,
                 const v1::BatchCreateFlowRunsRequest& request,
                 const Responder<v1::BatchCreateFlowRunsResponse>& respond) {
  if (request.requests_size() > kMostPerBatch) {
    return respond(Error(absl::StatusCode::kInvalidArgument, "TOO_LARGE")
                       .Field("requests", std::to_string(request.requests_size()))
                       .Says("requests has {} items; at most {} are taken", request.requests_size(),
                             kMostPerBatch));
  }
  std::vector<RunOrder> requests;
  for (const v1::CreateFlowRunRequest& one : request.requests()) requests.push_back({one});
  backend.intake.Submit(caller, std::move(requests), false,
                        [respond](const Intake::Outcomes& outcomes) {
                          v1::BatchCreateFlowRunsResponse response;
                          for (const auto& outcome : outcomes) {
                            auto& item = *response.add_items();
                            if (outcome.ok()) {
                              item.set_name("flowRuns/" + outcome->run.ToString());
                              item.set_existed(outcome->existed);
                            } else {
                              item.set_error_code(static_cast<int>(outcome.status().code()));
                              item.set_error_message(std::string(MessageOf(outcome.status())));
                              item.set_error_reason(ReasonOf(outcome.status()));
                            }
                          }
                          respond(std::move(response));
                        });
}

absl::StatusOr<v1::GetFlowRunResponse> Get(Session& session, const Caller& caller,
                                           const v1::GetFlowRunRequest& request) {
  ASSIGN_OR_RETURN(const Uuid id, IdOf(request.name(), "flowRuns", "name"));
  v1::GetFlowRunResponse response;
  ASSIGN_OR_RETURN(*response.mutable_flow_run(), ReadRun(session, caller.team, id, request.view()));
  return response;
}

absl::Status QueueWithoutPool(const std::string& queue) {
  return Error(absl::StatusCode::kInvalidArgument, "WORK_POOL_MISSING")
      .Field("work_queue", queue)
      .Next("forebay flow-run ls --pool <pool> --queue " + queue)
      .Says("work_queue '{}' is a name within a work pool; name the pool too", queue);
}

absl::StatusOr<RunFilter> FilterOf(Session& session, const Caller& caller,
                                   const v1::ListFlowRunsRequest& request) {
  RunFilter filter;
  ASSIGN_OR_RETURN(const auto after, ReadPageToken(request.page_token()));
  if (after.has_value()) {
    ASSIGN_OR_RETURN(filter.before, IdOf(*after, "flowRuns", "page_token"));
  }
  if (!request.deployment().empty()) {
    ASSIGN_OR_RETURN(const DeploymentName name,
                     DeploymentNameOf(request.deployment(), "deployment"));
    ASSIGN_OR_RETURN(filter.deployment, FindDeployment(session, caller.team, name));
  }
  if (!request.work_pool().empty()) {
    ASSIGN_OR_RETURN(const std::string name, PoolNameOf(request.work_pool(), "work_pool"));
    ASSIGN_OR_RETURN(const v1::WorkPool pool, ReadPool(session, name));
    filter.pool = Uuid::Parse(pool.uid());
  }
  if (!request.work_queue().empty()) {
    if (!filter.pool.has_value()) return QueueWithoutPool(request.work_queue());
    ASSIGN_OR_RETURN(const std::string pool, PoolNameOf(request.work_pool(), "work_pool"));
    ASSIGN_OR_RETURN(const StoredQueue queue, ReadQueue(session, pool, request.work_queue()));
    filter.queue = queue.id;
  }
  filter.flow = request.flow();
  filter.tags.assign(request.tags().begin(), request.tags().end());
  if (request.has_create_time_from()) filter.made_from = FromProto(request.create_time_from());
  if (request.has_create_time_before())
    filter.made_before = FromProto(request.create_time_before());
  filter.late = request.late();
  for (const int state : request.states())
    filter.states.push_back(static_cast<v1::StateType>(state));
  return filter;
}

absl::StatusOr<v1::ListFlowRunsResponse> List(Session& session, const Caller& caller,
                                              const v1::ListFlowRunsRequest& request) {
  ASSIGN_OR_RETURN(const int size, PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const RunFilter filter, FilterOf(session, caller, request));
  ASSIGN_OR_RETURN(auto runs, ListRuns(session, caller.team, filter, size + 1));
  v1::ListFlowRunsResponse response;
  if (const auto* last = FillPage(std::move(runs), size, *response.mutable_flow_runs())) {
    response.set_next_page_token(MakePageToken(last->name()));
  }
  return response;
}

void Watch(Backend& backend, const Caller& caller, const v1::WatchFlowRunRequest& request,
           const Responder<v1::WatchFlowRunResponse>& respond) {
  const auto id = IdOf(request.name(), "flowRuns", "name");
  if (!id.ok()) return respond(id.status());
  auto look = [caller, id = *id, known = request.known_version(), respond](Session& session,
                                                                           bool last) {
    auto run = ReadRun(session, caller.team, id, v1::RUN_VIEW_FULL);
    if (run.ok() && run->version() <= known && !last) return Watchers::Seen::kNothing;
    if (!run.ok()) {
      respond(run.status());
      return Watchers::Seen::kAnswered;
    }
    v1::WatchFlowRunResponse response;
    response.mutable_flow_run()->Swap(&*run);
    respond(std::move(response));
    return Watchers::Seen::kAnswered;
  };
  LongPoll(backend.watchers, *id, WaitOf(request, kDefaultWait), respond, std::move(look));
}

absl::StatusOr<v1::DeleteFlowRunResponse> Delete(Session& session, const Caller& caller,
                                                 const v1::DeleteFlowRunRequest& request) {
  ASSIGN_OR_RETURN(const Uuid id, IdOf(request.name(), "flowRuns", "name"));
  RETURN_IF_ERROR(DeleteRun(session, caller.team, id));
  return v1::DeleteFlowRunResponse();
}

}  // namespace

void RegisterFlowRuns(ServiceTable& table, Backend& backend) {
  using namespace v1;  // NOLINT(google-build-using-namespace)
  table.Async<CreateFlowRunRequest, CreateFlowRunResponse>(
      "FlowRunService.CreateFlowRun",
      [&backend](const Caller& c, const auto& r, auto respond) { Create(backend, c, r, respond); });
  table.Async<BatchCreateFlowRunsRequest, BatchCreateFlowRunsResponse>(
      "FlowRunService.BatchCreateFlowRuns",
      [&backend](const Caller& c, const auto& r, auto respond) {
        BatchCreate(backend, c, r, respond);
      });
  table.Blocking<BeginFlowRunRequest, BeginFlowRunResponse>(
      "FlowRunService.BeginFlowRun", [&backend](Session& s, const Caller& c, const auto& r) {
        return BeginByHand(s, c, backend.ids, backend.random, r);
      });
  table.Blocking<GetFlowRunRequest, GetFlowRunResponse>("FlowRunService.GetFlowRun", Get);
  table.Blocking<ListFlowRunsRequest, ListFlowRunsResponse>("FlowRunService.ListFlowRuns", List);
  table.Async<WatchFlowRunRequest, WatchFlowRunResponse>(
      "FlowRunService.WatchFlowRun",
      [&backend](const Caller& c, const auto& r, auto respond) { Watch(backend, c, r, respond); });
  table.Blocking<DeleteFlowRunRequest, DeleteFlowRunResponse>("FlowRunService.DeleteFlowRun",
                                                              Delete);
  table.Frequent<CreateFlowRunRequest, CreateFlowRunResponse>("FlowRunService.CreateFlowRun");
  table.Frequent<BatchCreateFlowRunsRequest, BatchCreateFlowRunsResponse>(
      "FlowRunService.BatchCreateFlowRuns");
}

}  // namespace forebay::server
