#include "common/base/status.h"
#include "server/api/handlers.h"
#include "server/api/messages.h"
#include "server/api/service_table_grpc.h"
#include "server/runs/run_calls.h"

namespace forebay::server {
namespace {

absl::StatusOr<v1::RunServiceHeartbeatResponse> Heartbeat(
    Session& session, const Caller& caller, const v1::RunServiceHeartbeatRequest& request) {
  ASSIGN_OR_RETURN(const Uuid run, IdOf(request.run_id(), "flowRuns", "run_id"));
  v1::RunServiceHeartbeatResponse response;
  ASSIGN_OR_RETURN(const bool cancel, BeatOfRun(session, run, caller.token_hash));
  response.set_cancel_wanted(cancel);
  return response;
}

void AppendLogs(Backend& backend, const Caller& caller, const v1::AppendLogsRequest& request,
                const Responder<v1::AppendLogsResponse>& respond) {
  v1::AttemptLogs logs;
  logs.mutable_attempt()->set_run_id(request.run_id());
  logs.set_first_sequence(request.first_sequence());
  *logs.mutable_entries() = request.entries();
  LogAppend append;
  append.run_token_hash = caller.token_hash;
  append.logs.push_back(std::move(logs));
  append.done = [respond](absl::StatusOr<std::vector<v1::AppendResult>> results) {
    if (!results.ok()) return respond(results.status());
    if ((*results)[0].verdict() == v1::REPORT_VERDICT_STALE) {
      return respond(Error(absl::StatusCode::kUnauthenticated, "RUN_TOKEN_INVALID")
                         .Says("this run token does not belong to a current attempt; end at once"));
    }
    v1::AppendLogsResponse response;
    response.set_next_sequence((*results)[0].next_sequence());
    respond(std::move(response));
  };
  backend.logs.Append(std::move(append));
}

}  // namespace

void RegisterRunProtocol(ServiceTable& table, Backend& backend) {
  table.Blocking<v1::StartAttemptRequest, v1::StartAttemptResponse>(
      "RunService.StartAttempt",
      [&backend](Session& s, const Caller& c,
                 const auto& r) -> absl::StatusOr<v1::StartAttemptResponse> {
        ASSIGN_OR_RETURN(const Uuid run, IdOf(r.run_id(), "flowRuns", "run_id"));
        return StartAttempt(s, backend.snapshots, backend.signals, backend.random, run,
                            c.token_hash);
      });
  table.Blocking<v1::ReportStateRequest, v1::ReportStateResponse>(
      "RunService.ReportState",
      [&backend](Session& s, const Caller& c,
                 const auto& r) -> absl::StatusOr<v1::ReportStateResponse> {
        ASSIGN_OR_RETURN(const Uuid run, IdOf(r.run_id(), "flowRuns", "run_id"));
        return ReportRunState(s, backend.signals, run, c.token_hash, r);
      });
  table.Async<v1::AppendLogsRequest, v1::AppendLogsResponse>(
      "RunService.AppendLogs", [&backend](const Caller& c, const auto& r, auto respond) {
        AppendLogs(backend, c, r, respond);
      });
  table.Blocking<v1::RunServiceHeartbeatRequest, v1::RunServiceHeartbeatResponse>(
      "RunService.Heartbeat", Heartbeat);
  table.Frequent<v1::AppendLogsRequest, v1::AppendLogsResponse>("RunService.AppendLogs");
}

}  // namespace forebay::server
