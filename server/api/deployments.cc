#include "server/store/deployments.h"
#include "common/base/status.h"
#include "server/api/handlers.h"
#include "server/api/messages.h"
#include "server/api/service_table_grpc.h"

namespace forebay::server {
namespace {

absl::StatusOr<v1::ApplyDeploymentResponse> Apply(Backend& backend, Session& session,
                                                  const Caller& caller,
                                                  const v1::ApplyDeploymentRequest& request) {
  ASSIGN_OR_RETURN(const DeploymentName name,
                   DeploymentNameOf(request.deployment().name(), "name"));
  ASSIGN_OR_RETURN(const auto applied,
                   ApplyDeployment(session, caller, backend.ids, request.deployment(), name));
  RETURN_IF_ERROR(backend.snapshots.RefreshDeployment(session, applied.first).status());
  v1::ApplyDeploymentResponse response;
  ASSIGN_OR_RETURN(*response.mutable_deployment(), ReadDeployment(session, caller.team, name));
  response.set_created(applied.second);
  return response;
}

absl::StatusOr<v1::GetDeploymentResponse> Get(Session& session, const Caller& caller,
                                              const v1::GetDeploymentRequest& request) {
  ASSIGN_OR_RETURN(const DeploymentName name, DeploymentNameOf(request.name(), "name"));
  v1::GetDeploymentResponse response;
  ASSIGN_OR_RETURN(*response.mutable_deployment(), ReadDeployment(session, caller.team, name));
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
  RETURN_IF_ERROR(DeleteDeployment(session, id, name, request.force()));
  backend.snapshots.ForgetName(caller.team, name.flow + "/" + name.deployment);
  return v1::DeleteDeploymentResponse();
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
