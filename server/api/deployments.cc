#include "server/store/deployments.h"

#include <array>

#include "common/base/status.h"
#include "server/api/handlers.h"
#include "server/api/messages.h"
#include "server/api/service_table.h"
#include "server/api/update_mask.h"
#include "server/db/queries.h"
#include "server/runs/by_hand.h"
#include "server/store/schedules.h"

namespace forebay::server {
namespace {

constexpr std::array<std::string_view, 9> kUpdatable = {"description", "version",
                                                        "tags",        "concurrency_limit",
                                                        "collision",   "concurrency_limits",
                                                        "retry",       "crash_retries",
                                                        "timeout"};

// With its schedules.
absl::StatusOr<v1::Deployment> ReadWhole(Session& session, const Caller& caller,
                                         const DeploymentName& name) {
  constexpr int kMostSchedules = 1000;
  ASSIGN_OR_RETURN(v1::Deployment deployment, ReadDeployment(session, caller.team, name));
  const auto id = Uuid::Parse(deployment.uid());
  ASSIGN_OR_RETURN(const auto schedules,
                   ListSchedules(session, caller.team, {id, {}, {}, {}}, kMostSchedules, 1));
  for (const v1::Schedule& schedule : schedules) *deployment.add_schedules() = schedule;
  return deployment;
}

// A change of limits may let waiting runs go.
absl::StatusOr<v1::Deployment> AfterChange(Backend& backend, Session& session, const Caller& caller,
                                           const Uuid& id, const DeploymentName& name) {
  ASSIGN_OR_RETURN(const auto snapshot, backend.snapshots.RefreshDeployment(session, id));
  backend.signals.WorkReady(snapshot->pool);
  return ReadWhole(session, caller, name);
}

absl::StatusOr<v1::ApplyDeploymentResponse> Apply(Backend& backend, Session& session,
                                                  const Caller& caller,
                                                  const v1::ApplyDeploymentRequest& request) {
  ASSIGN_OR_RETURN(const DeploymentName name,
                   DeploymentNameOf(request.deployment().name(), "name"));
  const std::vector<v1::Schedule> schedules(request.schedules().begin(), request.schedules().end());
  RETURN_IF_ERROR(RefuseByHand(name.flow, name.deployment, "changed"));
  std::pair<Uuid, bool> applied;
  bool valid = false;
  const absl::Status done = InTransaction(session, [&]() -> absl::Status {
    ASSIGN_OR_RETURN(applied,
                     ApplyDeployment(session, caller, backend.ids, request.deployment(), name));
    RETURN_IF_ERROR(ApplySchedules(session, caller, backend.ids, applied.first, schedules,
                                   request.replace_schedules()));
    valid = request.validate_only();
    // What fails is rolled back.
    return valid ? absl::CancelledError("checked") : absl::OkStatus();
  });
  v1::ApplyDeploymentResponse response;
  if (valid) {
    response.set_created(applied.second);
    return response;
  }
  RETURN_IF_ERROR(done);
  ASSIGN_OR_RETURN(*response.mutable_deployment(),
                   AfterChange(backend, session, caller, applied.first, name));
  response.set_created(applied.second);
  return response;
}

absl::StatusOr<v1::UpdateDeploymentResponse> Update(Backend& backend, Session& session,
                                                    const Caller& caller,
                                                    const v1::UpdateDeploymentRequest& request) {
  ASSIGN_OR_RETURN(const DeploymentName name,
                   DeploymentNameOf(request.deployment().name(), "name"));
  RETURN_IF_ERROR(RefuseByHand(name.flow, name.deployment, "changed"));
  ASSIGN_OR_RETURN(const UpdateMask mask,
                   UpdateMask::Parse(request.update_mask(), kUpdatable, "a deployment"));
  ASSIGN_OR_RETURN(const Uuid id, FindDeployment(session, caller.team, name));
  RETURN_IF_ERROR(InTransaction(session, [&]() -> absl::Status {
    // One update at a time. Not by the row's lock: a report that holds its pool's limits may want
    // it.
    RETURN_IF_ERROR(session.Run(queries::kOwnLimits, Args().Id(id)).status());
    ASSIGN_OR_RETURN(v1::Deployment changed, ReadDeployment(session, caller.team, name));
    mask.Overlay(request.deployment(), changed);
    RETURN_IF_ERROR(ApplyDeployment(session, caller, backend.ids, changed, name).status());
    // Of all that can be changed here only this stands in runs that were made ahead.
    if (!mask.Names("tags")) return absl::OkStatus();
    return ApplySchedules(session, caller, backend.ids, id, {}, false);
  }));
  v1::UpdateDeploymentResponse response;
  ASSIGN_OR_RETURN(*response.mutable_deployment(), AfterChange(backend, session, caller, id, name));
  return response;
}

absl::StatusOr<v1::GetDeploymentResponse> Get(Session& session, const Caller& caller,
                                              const v1::GetDeploymentRequest& request) {
  ASSIGN_OR_RETURN(const DeploymentName name, DeploymentNameOf(request.name(), "name"));
  v1::GetDeploymentResponse response;
  ASSIGN_OR_RETURN(*response.mutable_deployment(), ReadWhole(session, caller, name));
  return response;
}

absl::StatusOr<DeploymentFilter> FilterOf(const v1::ListDeploymentsRequest& request) {
  DeploymentFilter filter;
  if (!request.work_pool().empty()) {
    ASSIGN_OR_RETURN(filter.pool, PoolNameOf(request.work_pool(), "work_pool"));
  }
  if (!request.flow().empty()) filter.flow = request.flow();
  ASSIGN_OR_RETURN(const auto after, ReadPageToken(request.page_token()));
  if (after.has_value()) {
    ASSIGN_OR_RETURN(filter.after, DeploymentNameOf(*after, "page_token"));
  }
  return filter;
}

absl::StatusOr<v1::ListDeploymentsResponse> List(Session& session, const Caller& caller,
                                                 const v1::ListDeploymentsRequest& request) {
  ASSIGN_OR_RETURN(const int size, PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const DeploymentFilter filter, FilterOf(request));
  ASSIGN_OR_RETURN(auto deployments, ListDeployments(session, caller.team, filter, size + 1));
  v1::ListDeploymentsResponse response;
  if (const auto* last = FillPage(std::move(deployments), size, *response.mutable_deployments())) {
    response.set_next_page_token(MakePageToken(last->name()));
  }
  return response;
}

absl::StatusOr<v1::DeleteDeploymentResponse> Delete(Backend& backend, Session& session,
                                                    const Caller& caller,
                                                    const v1::DeleteDeploymentRequest& request) {
  ASSIGN_OR_RETURN(const DeploymentName name, DeploymentNameOf(request.name(), "name"));
  ASSIGN_OR_RETURN(const Uuid id, FindDeployment(session, caller.team, name));
  ASSIGN_OR_RETURN(auto response, DeleteDeployment(session, id, name, request.force()));
  backend.snapshots.ForgetName(caller.team, name.flow + "/" + name.deployment);
  return response;
}

absl::StatusOr<v1::Deployment> SetPaused(Backend& backend, Session& session, const Caller& caller,
                                         const std::string& resource, bool paused) {
  ASSIGN_OR_RETURN(const DeploymentName name, DeploymentNameOf(resource, "name"));
  ASSIGN_OR_RETURN(const Uuid id, FindDeployment(session, caller.team, name));
  ASSIGN_OR_RETURN(const Uuid pool, SetDeploymentPaused(session, id, paused));
  backend.signals.WorkReady(pool);
  return ReadDeployment(session, caller.team, name);
}

}  // namespace

void RegisterDeployments(ServiceTable& table, Backend& backend) {
  using namespace v1;  // NOLINT(google-build-using-namespace)
  table.Blocking<ApplyDeploymentRequest, ApplyDeploymentResponse>(
      "DeploymentService.ApplyDeployment",
      [&backend](Session& s, const Caller& c, const auto& r) { return Apply(backend, s, c, r); });
  table.Blocking<UpdateDeploymentRequest, UpdateDeploymentResponse>(
      "DeploymentService.UpdateDeployment",
      [&backend](Session& s, const Caller& c, const auto& r) { return Update(backend, s, c, r); });
  table.Blocking<GetDeploymentRequest, GetDeploymentResponse>("DeploymentService.GetDeployment",
                                                              Get);
  table.Blocking<ListDeploymentsRequest, ListDeploymentsResponse>(
      "DeploymentService.ListDeployments", List);
  table.Blocking<DeleteDeploymentRequest, DeleteDeploymentResponse>(
      "DeploymentService.DeleteDeployment",
      [&backend](Session& s, const Caller& c, const auto& r) { return Delete(backend, s, c, r); });
  table.Blocking<PauseDeploymentRequest, PauseDeploymentResponse>(
      "DeploymentService.PauseDeployment",
      [&backend](Session& s, const Caller& c,
                 const auto& r) -> absl::StatusOr<PauseDeploymentResponse> {
        PauseDeploymentResponse response;
        ASSIGN_OR_RETURN(*response.mutable_deployment(), SetPaused(backend, s, c, r.name(), true));
        return response;
      });
  table.Blocking<ResumeDeploymentRequest, ResumeDeploymentResponse>(
      "DeploymentService.ResumeDeployment",
      [&backend](Session& s, const Caller& c,
                 const auto& r) -> absl::StatusOr<ResumeDeploymentResponse> {
        ResumeDeploymentResponse response;
        ASSIGN_OR_RETURN(*response.mutable_deployment(), SetPaused(backend, s, c, r.name(), false));
        return response;
      });
}

}  // namespace forebay::server
