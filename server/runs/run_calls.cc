#include "server/runs/run_calls.h"

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/crypto/sha256.h"
#include "common/crypto/token.h"
#include "server/api/messages.h"
#include "server/db/queries.h"
#include "server/runs/held_attempt.h"
#include "server/runs/run_row.h"

namespace forebay::server {
namespace {

constexpr size_t kMostMessageBytes = 4096;

absl::Status NotCurrent(std::string_view what, std::string_view reason) {
  return Error(absl::StatusCode::kUnauthenticated, reason)
      .Says("this {} does not belong to a current attempt; end at once", what);
}

// The locked attempt; NOT_FOUND when the run is held by nobody.
absl::StatusOr<HeldAttempt> LockOne(Session& session, const Uuid& run) {
  ASSIGN_OR_RETURN(auto held, LockAttempts(session, {run}));
  if (held.empty()) return absl::NotFoundError("no held attempt");
  return held[0];
}

absl::Status PassGate(const HeldAttempt& held, const std::string& ticket_hash) {
  if (!ConstantTimeEquals(held.ticket_hash, ticket_hash))
    return NotCurrent("ticket", "TICKET_INVALID");
  if (held.state.phase == Phase::kStarted) {
    return Error(absl::StatusCode::kFailedPrecondition, "TICKET_USED")
        .Says("this attempt was started already; exit with code 75");
  }
  if (Decide(held.state, Event{EventKind::kGate, -1, 0, "", ""}).refused) {
    return Error(absl::StatusCode::kFailedPrecondition, "CANCEL_REQUESTED")
        .Says("the run is being cancelled; exit with code 75");
  }
  return absl::OkStatus();
}

absl::Status FinishedOtherwise(const HeldState& state) {
  return Error(absl::StatusCode::kFailedPrecondition, "RUN_FINISHED")
      .Says("this run has reported already that it {}",
            state.said == Said::kCompleted ? "completed" : "failed");
}

absl::Status DescribeRun(Session& session, Snapshots& snapshots, const Uuid& run,
                         v1::StartAttemptResponse& response) {
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kReadStartedRun, Args().Id(run)));
  if (rows.empty()) return absl::InternalError("a held attempt has no run");
  const Snapshots::Wanted wanted{rows.Id(0, 1), rows.Int(0, 2)};
  ASSIGN_OR_RETURN(const auto deployments, snapshots.DeploymentsAt(session, std::span(&wanted, 1)));
  const DeploymentSnapshot& deployment = *deployments.at(wanted.id);
  response.set_parameters(std::string(rows.Text(0, 0)));
  response.set_display_name(std::string(rows.Text(0, 3)));
  for (const std::string& tag : rows.TextArray(0, 4)) response.add_tags(tag);
  ToProto(rows.Time(0, 5), *response.mutable_scheduled_time());
  response.set_entrypoint(deployment.entrypoint);
  response.set_pull_steps(deployment.pull_steps);
  response.set_version(deployment.version);
  response.set_flow(deployment.flow_name);
  response.set_deployment(deployment.flow_name + "/" + deployment.name);
  for (const std::string& argument : deployment.command) response.add_command(argument);
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<v1::StartAttemptResponse> StartAttempt(Session& session, Snapshots& snapshots,
                                                      Signals& signals, Random& random,
                                                      const Uuid& run,
                                                      const std::string& ticket_hash) {
  v1::StartAttemptResponse response;
  Aftermath aftermath;
  RETURN_IF_ERROR(InTransaction(session, [&]() -> absl::Status {
    aftermath = {};
    response.Clear();
    const auto held = LockOne(session, run);
    if (absl::IsNotFound(held.status())) return NotCurrent("ticket", "TICKET_INVALID");
    RETURN_IF_ERROR(held.status());
    RETURN_IF_ERROR(PassGate(*held, ticket_hash));
    AttemptChange change;
    change.before = *held;
    change.phase = Phase::kStarted;
    response.set_run_token(MintToken(TokenKind::kRun, random));
    change.run_token_hash = HashToken(response.run_token());
    response.set_run_id(run.ToString());
    response.set_attempt(held->attempt);
    ToProto(kRunBeat, *response.mutable_heartbeat_interval());
    RETURN_IF_ERROR(DescribeRun(session, snapshots, run, response));
    return WriteChanges(session, {change}, aftermath);
  }));
  Signal(aftermath, signals);
  return response;
}

absl::StatusOr<v1::ReportStateResponse> ReportRunState(Session& session, Signals& signals,
                                                       const Uuid& run,
                                                       const std::string& token_hash,
                                                       const v1::ReportStateRequest& request) {
  if (request.type() != v1::STATE_TYPE_COMPLETED && request.type() != v1::STATE_TYPE_FAILED) {
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_STATE")
        .Field("type", v1::StateType_Name(request.type()))
        .Says("a run reports COMPLETED or FAILED, not {}", v1::StateType_Name(request.type()));
  }
  Event event;
  event.kind =
      request.type() == v1::STATE_TYPE_COMPLETED ? EventKind::kRunCompleted : EventKind::kRunFailed;
  event.message = CutUtf8(WithoutNul(request.message()), kMostMessageBytes);
  Aftermath aftermath;
  RETURN_IF_ERROR(InTransaction(session, [&]() -> absl::Status {
    aftermath = {};
    const auto held = LockOne(session, run);
    const bool current = held.ok() && ConstantTimeEquals(held->run_token_hash, token_hash);
    if (!current)
      return held.ok() || absl::IsNotFound(held.status())
                 ? NotCurrent("run token", "RUN_TOKEN_INVALID")
                 : held.status();
    const Decision decision = Decide(held->state, event);
    if (decision.refused) return FinishedOtherwise(held->state);
    AttemptChange change;
    change.before = *held;
    change.phase = held->state.phase;
    change.said = decision.says;
    change.said_message = event.message;
    if (decision.next != Next::kNone) change.end = decision;
    return WriteChanges(session, {change}, aftermath);
  }));
  Signal(aftermath, signals);
  v1::ReportStateResponse response;
  response.mutable_state()->set_type(request.type());
  response.mutable_state()->set_name(StateWordOf(request.type()));
  response.mutable_state()->set_message(request.message());
  return response;
}

absl::StatusOr<bool> BeatOfRun(Session& session, const Uuid& run, const std::string& token_hash) {
  ASSIGN_OR_RETURN(Rows rows,
                   session.Run(queries::kRunHeartbeat, Args().Id(run).Bytes(token_hash)));
  if (rows.empty()) return NotCurrent("run token", "RUN_TOKEN_INVALID");
  return rows.Bool(0, 0);
}

}  // namespace forebay::server
