#include "server/store/schedules.h"

#include <array>

#include "common/base/status.h"
#include "server/api/handlers.h"
#include "server/api/messages.h"
#include "server/api/service_table.h"
#include "server/store/deployments.h"
#include "server/submit/submission.h"

namespace forebay::server {
namespace {

constexpr std::array<std::string_view, 8> kUpdatable = {
    "rule",       "time_zone", "parameters", "job_variables",
    "start_time", "end_time",  "catch_up",   "catch_up_window"};

struct Located {
  ScheduleName name;
  Uuid deployment;
};

absl::StatusOr<Located> Locate(Session& session, const Caller& caller, const std::string& name) {
  Located located;
  ASSIGN_OR_RETURN(located.name, ScheduleNameOf(name, "name"));
  ASSIGN_OR_RETURN(located.deployment,
                   FindDeployment(session, caller.team, located.name.deployment));
  return located;
}

absl::StatusOr<v1::Schedule> Read(Session& session, const Caller& caller, const Located& located) {
  return ReadSchedule(session, caller.team, located.deployment, located.name.slug);
}

// What a run of it would be refused for, the schedule is refused for.
absl::Status CheckRuns(Backend& backend, Session& session, const Caller& caller,
                       const Uuid& deployment, const v1::Schedule& schedule) {
  ASSIGN_OR_RETURN(const auto snapshot, backend.snapshots.RefreshDeployment(session, deployment));
  RunOrder order;
  order.request.set_parameters(schedule.parameters());
  order.request.set_job_variables(schedule.job_variables());
  return PrepareSubmission(order, caller, snapshot, backend.ids, backend.random).status();
}

absl::StatusOr<v1::CreateScheduleResponse> Create(Backend& backend, Session& session,
                                                  const Caller& caller,
                                                  const v1::CreateScheduleRequest& request) {
  ASSIGN_OR_RETURN(const DeploymentName name, DeploymentNameOf(request.parent(), "parent"));
  ASSIGN_OR_RETURN(const Uuid deployment, FindDeployment(session, caller.team, name));
  RETURN_IF_ERROR(CheckRuns(backend, session, caller, deployment, request.schedule()));
  std::string slug;
  RETURN_IF_ERROR(InTransaction(session, [&]() -> absl::Status {
    ASSIGN_OR_RETURN(slug,
                     InsertSchedule(session, caller, backend.ids, deployment, request.schedule()));
    return absl::OkStatus();
  }));
  v1::CreateScheduleResponse response;
  ASSIGN_OR_RETURN(*response.mutable_schedule(),
                   ReadSchedule(session, caller.team, deployment, slug));
  return response;
}

absl::StatusOr<v1::GetScheduleResponse> Get(Session& session, const Caller& caller,
                                            const v1::GetScheduleRequest& request) {
  ASSIGN_OR_RETURN(const Located located, Locate(session, caller, request.name()));
  v1::GetScheduleResponse response;
  ASSIGN_OR_RETURN(*response.mutable_schedule(), Read(session, caller, located));
  return response;
}

absl::StatusOr<v1::ListSchedulesResponse> List(Session& session, const Caller& caller,
                                               const v1::ListSchedulesRequest& request) {
  ASSIGN_OR_RETURN(const int size, PageSize(request.page_size()));
  ScheduleFilter filter;
  ASSIGN_OR_RETURN(const auto after, ReadPageToken(request.page_token()));
  if (after.has_value()) {
    ASSIGN_OR_RETURN(filter.after, ScheduleNameOf(*after, "page_token"));
  }
  if (!request.parent().empty()) {
    ASSIGN_OR_RETURN(const DeploymentName name, DeploymentNameOf(request.parent(), "parent"));
    ASSIGN_OR_RETURN(filter.deployment, FindDeployment(session, caller.team, name));
  }
  if (!request.work_pool().empty()) {
    ASSIGN_OR_RETURN(filter.pool, PoolNameOf(request.work_pool(), "work_pool"));
  }
  ASSIGN_OR_RETURN(auto schedules, ListSchedules(session, caller.team, filter, size + 1, 1));
  v1::ListSchedulesResponse response;
  if (const auto* last = FillPage(std::move(schedules), size, *response.mutable_schedules())) {
    response.set_next_page_token(MakePageToken(last->name()));
  }
  return response;
}

absl::StatusOr<v1::UpdateScheduleResponse> Update(Backend& backend, Session& session,
                                                  const Caller& caller,
                                                  const v1::UpdateScheduleRequest& request) {
  ASSIGN_OR_RETURN(const Located located, Locate(session, caller, request.schedule().name()));
  ASSIGN_OR_RETURN(const UpdateMask mask,
                   UpdateMask::Parse(request.update_mask(), kUpdatable, "a schedule"));
  if (mask.Names("parameters") || mask.Names("job_variables"))
    RETURN_IF_ERROR(CheckRuns(backend, session, caller, located.deployment, request.schedule()));
  RETURN_IF_ERROR(InTransaction(session, [&] {
    return UpdateSchedule(session, caller.team, located.deployment, located.name.slug,
                          request.schedule(), mask);
  }));
  v1::UpdateScheduleResponse response;
  ASSIGN_OR_RETURN(*response.mutable_schedule(), Read(session, caller, located));
  return response;
}

absl::StatusOr<v1::DeleteScheduleResponse> Delete(Session& session, const Caller& caller,
                                                  const v1::DeleteScheduleRequest& request) {
  ASSIGN_OR_RETURN(const Located located, Locate(session, caller, request.name()));
  RETURN_IF_ERROR(InTransaction(
      session, [&] { return DeleteSchedule(session, located.deployment, located.name.slug); }));
  return v1::DeleteScheduleResponse();
}

absl::StatusOr<v1::Schedule> SetPaused(Session& session, const Caller& caller,
                                       const std::string& name, bool paused) {
  ASSIGN_OR_RETURN(const Located located, Locate(session, caller, name));
  RETURN_IF_ERROR(InTransaction(session, [&] {
    return SetSchedulePaused(session, located.deployment, located.name.slug, paused);
  }));
  return Read(session, caller, located);
}

absl::StatusOr<v1::PauseScheduleResponse> Pause(Session& session, const Caller& caller,
                                                const v1::PauseScheduleRequest& request) {
  v1::PauseScheduleResponse response;
  ASSIGN_OR_RETURN(*response.mutable_schedule(), SetPaused(session, caller, request.name(), true));
  return response;
}

absl::StatusOr<v1::ResumeScheduleResponse> Resume(Session& session, const Caller& caller,
                                                  const v1::ResumeScheduleRequest& request) {
  v1::ResumeScheduleResponse response;
  ASSIGN_OR_RETURN(*response.mutable_schedule(), SetPaused(session, caller, request.name(), false));
  return response;
}

}  // namespace

void RegisterSchedules(ServiceTable& table, Backend& backend) {
  using namespace v1;  // NOLINT(google-build-using-namespace)
  table.Blocking<CreateScheduleRequest, CreateScheduleResponse>(
      "ScheduleService.CreateSchedule",
      [&backend](Session& s, const Caller& c, const auto& r) { return Create(backend, s, c, r); });
  table.Blocking<GetScheduleRequest, GetScheduleResponse>("ScheduleService.GetSchedule", Get);
  table.Blocking<ListSchedulesRequest, ListSchedulesResponse>("ScheduleService.ListSchedules",
                                                              List);
  table.Blocking<UpdateScheduleRequest, UpdateScheduleResponse>(
      "ScheduleService.UpdateSchedule",
      [&backend](Session& s, const Caller& c, const auto& r) { return Update(backend, s, c, r); });
  table.Blocking<DeleteScheduleRequest, DeleteScheduleResponse>("ScheduleService.DeleteSchedule",
                                                                Delete);
  table.Blocking<PauseScheduleRequest, PauseScheduleResponse>("ScheduleService.PauseSchedule",
                                                              Pause);
  table.Blocking<ResumeScheduleRequest, ResumeScheduleResponse>("ScheduleService.ResumeSchedule",
                                                                Resume);
}

}  // namespace forebay::server
