#include <fmt/ranges.h>

#include <algorithm>
#include <array>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/job_template/job_template.h"
#include "common/policy/policy.h"
#include "server/api/handlers.h"
#include "server/api/messages.h"
#include "server/api/service_table.h"
#include "server/api/update_mask.h"
#include "server/db/queries.h"
#include "server/runs/upcoming.h"
#include "server/store/work_pools.h"

namespace forebay::server {
namespace {

constexpr std::array<std::string_view, 6> kUpdatable = {
    "description", "base_job_template", "concurrency_limit", "timeouts", "policy", "retention"};

absl::Status UnknownType(const std::string& type) {
  const std::string nearest = NearestName(type, PoolTypes());
  const std::string allowed = Join(PoolTypes(), ", ");
  return Error(absl::StatusCode::kInvalidArgument, "UNKNOWN_POOL_TYPE")
      .Field("type", type)
      .With("nearest", nearest)
      .With("allowed", allowed)
      .Says("'{}' is not a pool type; known are {}", type, allowed);
}

absl::StatusOr<v1::CreateWorkPoolResponse> Create(Backend& backend, Session& session,
                                                  const Caller& caller,
                                                  const v1::CreateWorkPoolRequest& request) {
  v1::WorkPool pool = request.work_pool();
  ASSIGN_OR_RETURN(const std::string name, PoolNameOf(pool.name(), "name"));
  if (DefaultJobTemplate(pool.type()).empty()) return UnknownType(pool.type());
  if (pool.base_job_template().empty())
    pool.set_base_job_template(std::string(DefaultJobTemplate(pool.type())));
  RETURN_IF_ERROR(JobTemplate::Parse(pool.base_job_template()).status());
  RETURN_IF_ERROR(Policy::Parse(pool.type(), pool.policy()).status());
  RETURN_IF_ERROR(CheckPool(pool));
  absl::Status inserted =
      InTransaction(session, [&] { return InsertPool(session, caller, backend.ids, pool, name); });
  if (inserted.code() == absl::StatusCode::kAlreadyExists) {
    return Error(absl::StatusCode::kAlreadyExists, "WORK_POOL_EXISTS")
        .Field("name", name)
        .Next(fmt::format("forebay work-pool inspect {}", name))
        .Says("work pool '{}' exists already", name);
  }
  RETURN_IF_ERROR(inserted);
  v1::CreateWorkPoolResponse response;
  ASSIGN_OR_RETURN(*response.mutable_work_pool(), ReadPool(session, name));
  return response;
}

absl::StatusOr<v1::GetWorkPoolResponse> Get(Session& session, const Caller&,
                                            const v1::GetWorkPoolRequest& request) {
  ASSIGN_OR_RETURN(const std::string name, PoolNameOf(request.name(), "name"));
  v1::GetWorkPoolResponse response;
  ASSIGN_OR_RETURN(*response.mutable_work_pool(), ReadPool(session, name));
  return response;
}

absl::StatusOr<v1::ListWorkPoolsResponse> List(Session& session, const Caller&,
                                               const v1::ListWorkPoolsRequest& request) {
  ASSIGN_OR_RETURN(const int size, PageSize(request.page_size()));
  ASSIGN_OR_RETURN(const auto after, ReadPageToken(request.page_token()));
  ASSIGN_OR_RETURN(auto pools, ListPools(session, std::nullopt, after, size + 1));
  v1::ListWorkPoolsResponse response;
  if (const auto* last = FillPage(std::move(pools), size, *response.mutable_work_pools())) {
    ASSIGN_OR_RETURN(const std::string key, PoolNameOf(last->name(), "name"));
    response.set_next_page_token(MakePageToken(key));
  }
  return response;
}

absl::StatusOr<v1::UpdateWorkPoolResponse> Update(Backend& backend, Session& session, const Caller&,
                                                  const v1::UpdateWorkPoolRequest& request) {
  const v1::WorkPool& pool = request.work_pool();
  ASSIGN_OR_RETURN(const std::string name, PoolNameOf(pool.name(), "name"));
  ASSIGN_OR_RETURN(const UpdateMask mask,
                   UpdateMask::Parse(request.update_mask(), kUpdatable, "a work pool"));
  RETURN_IF_ERROR(CheckPool(pool));
  if (mask.Names("base_job_template")) {
    RETURN_IF_ERROR(JobTemplate::Parse(pool.base_job_template()).status());
  }
  Uuid id;
  RETURN_IF_ERROR(InTransaction(session, [&]() -> absl::Status {
    ASSIGN_OR_RETURN(const LockedPool locked, LockPool(session, name));
    id = locked.id;
    if (mask.Names("policy")) {
      RETURN_IF_ERROR(Policy::Parse(locked.type, pool.policy()).status());
    }
    return UpdatePool(session, id, pool, mask.paths());
  }));
  backend.signals.PoolChanged(id);
  backend.signals.WorkReady(id);
  v1::UpdateWorkPoolResponse response;
  ASSIGN_OR_RETURN(*response.mutable_work_pool(), ReadPool(session, name));
  return response;
}

absl::StatusOr<v1::DeleteWorkPoolResponse> Delete(Backend& backend, Session& session, const Caller&,
                                                  const v1::DeleteWorkPoolRequest& request) {
  ASSIGN_OR_RETURN(const std::string name, PoolNameOf(request.name(), "name"));
  Uuid id;
  RETURN_IF_ERROR(InTransaction(session, [&]() -> absl::Status {
    ASSIGN_OR_RETURN(const LockedPool locked, LockPool(session, name));
    id = locked.id;
    return DeletePool(session, id, name, request.force());
  }));
  backend.signals.PoolChanged(id);
  return v1::DeleteWorkPoolResponse();
}

absl::StatusOr<v1::WorkPool> SetPaused(Backend& backend, Session& session,
                                       const std::string& resource, bool paused) {
  ASSIGN_OR_RETURN(const std::string name, PoolNameOf(resource, "name"));
  Uuid id;
  RETURN_IF_ERROR(InTransaction(session, [&]() -> absl::Status {
    ASSIGN_OR_RETURN(const LockedPool locked, LockPool(session, name));
    id = locked.id;
    return session.Run(queries::kSetPoolPaused, Args().Id(id).Bool(paused)).status();
  }));
  backend.signals.PoolChanged(id);
  backend.signals.WorkReady(id);
  return ReadPool(session, name);
}

absl::StatusOr<v1::ListUpcomingRunsResponse> Upcoming(Session& session, const Caller& caller,
                                                      const v1::ListUpcomingRunsRequest& request) {
  constexpr absl::Duration kMostWithin = absl::Hours(24 * 7);
  ASSIGN_OR_RETURN(const std::string name, PoolNameOf(request.work_pool(), "work_pool"));
  const absl::Duration within = request.has_within() ? FromProto(request.within()) : absl::Hours(1);
  if (within <= absl::ZeroDuration() || within > kMostWithin) {
    return Error(absl::StatusCode::kInvalidArgument, "OUT_OF_RANGE")
        .Field("within", absl::FormatDuration(within))
        .With("allowed", "above 0, at most 168h")
        .Says("within is {}; it must be above 0 and at most 7 days", absl::FormatDuration(within));
  }
  RETURN_IF_ERROR(ReadPool(session, name).status());
  const int most = request.most() <= 0 ? 200 : std::min(request.most(), 1000);
  return UpcomingRuns(session, caller.team, name, within, most);
}

}  // namespace

void RegisterWorkPools(ServiceTable& table, Backend& backend) {
  using namespace v1;  // NOLINT(google-build-using-namespace)
  table.Blocking<CreateWorkPoolRequest, CreateWorkPoolResponse>(
      "WorkPoolService.CreateWorkPool",
      [&backend](Session& s, const Caller& c, const auto& r) { return Create(backend, s, c, r); });
  table.Blocking<GetWorkPoolRequest, GetWorkPoolResponse>("WorkPoolService.GetWorkPool", Get);
  table.Blocking<ListWorkPoolsRequest, ListWorkPoolsResponse>("WorkPoolService.ListWorkPools",
                                                              List);
  table.Blocking<UpdateWorkPoolRequest, UpdateWorkPoolResponse>(
      "WorkPoolService.UpdateWorkPool",
      [&backend](Session& s, const Caller& c, const auto& r) { return Update(backend, s, c, r); });
  table.Blocking<DeleteWorkPoolRequest, DeleteWorkPoolResponse>(
      "WorkPoolService.DeleteWorkPool",
      [&backend](Session& s, const Caller& c, const auto& r) { return Delete(backend, s, c, r); });
  table.Blocking<PauseWorkPoolRequest, PauseWorkPoolResponse>(
      "WorkPoolService.PauseWorkPool",
      [&backend](Session& s, const Caller&,
                 const auto& r) -> absl::StatusOr<PauseWorkPoolResponse> {
        PauseWorkPoolResponse response;
        ASSIGN_OR_RETURN(*response.mutable_work_pool(), SetPaused(backend, s, r.name(), true));
        return response;
      });
  table.Blocking<ResumeWorkPoolRequest, ResumeWorkPoolResponse>(
      "WorkPoolService.ResumeWorkPool",
      [&backend](Session& s, const Caller&,
                 const auto& r) -> absl::StatusOr<ResumeWorkPoolResponse> {
        ResumeWorkPoolResponse response;
        ASSIGN_OR_RETURN(*response.mutable_work_pool(), SetPaused(backend, s, r.name(), false));
        return response;
      });
  table.Blocking<ListUpcomingRunsRequest, ListUpcomingRunsResponse>(
      "WorkPoolService.ListUpcomingRuns", Upcoming);
  table.Blocking<GetDefaultBaseJobTemplateRequest, GetDefaultBaseJobTemplateResponse>(
      "WorkPoolService.GetDefaultBaseJobTemplate",
      [](Session&, const Caller&,
         const auto& r) -> absl::StatusOr<GetDefaultBaseJobTemplateResponse> {
        if (DefaultJobTemplate(r.type()).empty()) return UnknownType(r.type());
        GetDefaultBaseJobTemplateResponse response;
        response.set_base_job_template(std::string(DefaultJobTemplate(r.type())));
        return response;
      });
}

}  // namespace forebay::server
