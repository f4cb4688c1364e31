#include "common/base/status.h"
#include "server/api/handlers.h"
#include "server/api/messages.h"
#include "server/api/service_table.h"
#include "server/runs/cancel.h"
#include "server/runs/pause.h"
#include "server/runs/retry.h"
#include "server/runs/run_view.h"

namespace forebay::server {
namespace {

// Does what was asked for and answers the run as it stands then.
template <typename Response, typename Request, typename Change>
absl::StatusOr<Response> ChangeRun(Session& session, const Caller& caller, const Request& request,
                                   Change change) {
  ASSIGN_OR_RETURN(const Uuid id, IdOf(request.name(), "flowRuns", "name"));
  RETURN_IF_ERROR(change(id));
  Response response;
  ASSIGN_OR_RETURN(*response.mutable_flow_run(),
                   ReadRun(session, caller.team, id, v1::RUN_VIEW_BASIC));
  return response;
}

absl::StatusOr<v1::CancelFlowRunResponse> Cancel(Backend& backend, Session& session,
                                                 const Caller& caller,
                                                 const v1::CancelFlowRunRequest& request) {
  std::optional<absl::Duration> grace;
  if (request.has_grace()) {
    RETURN_IF_ERROR(CheckDuration("grace", request.grace(), absl::ZeroDuration(), absl::Hours(1)));
    grace = FromProto(request.grace());
  }
  return ChangeRun<v1::CancelFlowRunResponse>(session, caller, request, [&](const Uuid& id) {
    return CancelRun(session, backend.signals, caller.team, id, grace);
  });
}

absl::StatusOr<v1::PauseFlowRunResponse> Pause(Backend& backend, Session& session,
                                               const Caller& caller,
                                               const v1::PauseFlowRunRequest& request) {
  return ChangeRun<v1::PauseFlowRunResponse>(session, caller, request, [&](const Uuid& id) {
    return PauseRun(session, backend.signals, caller.team, id);
  });
}

absl::StatusOr<v1::ResumeFlowRunResponse> Resume(Backend& backend, Session& session,
                                                 const Caller& caller,
                                                 const v1::ResumeFlowRunRequest& request) {
  return ChangeRun<v1::ResumeFlowRunResponse>(session, caller, request, [&](const Uuid& id) {
    return ResumeRun(session, backend.signals, caller.team, id);
  });
}

// The order is read on a database thread; the intake takes it on from there.
void Retry(Backend& backend, const Caller& caller, const v1::RetryFlowRunRequest& request,
           const Responder<v1::RetryFlowRunResponse>& respond) {
  const auto id = IdOf(request.name(), "flowRuns", "name");
  if (!id.ok()) return respond(id.status());
  const std::string request_id = request.request_id();
  auto read = [&backend, caller, id = *id, request_id, respond](Session& session) {
    auto order = OrderToRetry(session, caller.team, id, request_id);
    if (!order.ok()) return respond(order.status());
    backend.intake.Submit(caller, {*std::move(order)}, false,
                          [&backend, caller, respond](Intake::Outcomes& outcomes) {
                            if (!outcomes[0].ok()) return respond(outcomes[0].status());
                            const Uuid made = outcomes[0]->run;
                            const absl::Status queued =
                                backend.executor.Submit([caller, made, respond](Session& again) {
                                  auto run = ReadRun(again, caller.team, made, v1::RUN_VIEW_BASIC);
                                  if (!run.ok()) return respond(run.status());
                                  v1::RetryFlowRunResponse response;
                                  response.mutable_flow_run()->Swap(&*run);
                                  respond(std::move(response));
                                });
                            if (!queued.ok()) respond(queued);
                          });
  };
  if (const absl::Status queued = backend.executor.Submit(std::move(read)); !queued.ok())
    respond(queued);
}

}  // namespace

void RegisterRunControl(ServiceTable& table, Backend& backend) {
  using namespace v1;  // NOLINT(google-build-using-namespace)
  table.Blocking<CancelFlowRunRequest, CancelFlowRunResponse>(
      "FlowRunService.CancelFlowRun",
      [&backend](Session& s, const Caller& c, const auto& r) { return Cancel(backend, s, c, r); });
  table.Blocking<PauseFlowRunRequest, PauseFlowRunResponse>(
      "FlowRunService.PauseFlowRun",
      [&backend](Session& s, const Caller& c, const auto& r) { return Pause(backend, s, c, r); });
  table.Blocking<ResumeFlowRunRequest, ResumeFlowRunResponse>(
      "FlowRunService.ResumeFlowRun",
      [&backend](Session& s, const Caller& c, const auto& r) { return Resume(backend, s, c, r); });
  table.Async<RetryFlowRunRequest, RetryFlowRunResponse>(
      "FlowRunService.RetryFlowRun",
      [&backend](const Caller& c, const auto& r, auto respond) { Retry(backend, c, r, respond); });
}

}  // namespace forebay::server
