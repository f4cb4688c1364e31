#include "cli/run_change.h"

#include <memory>
#include <optional>

#include "cli/follow.h"
#include "cli/names.h"
#include "cli/proto_values.h"
#include "cli/values.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "common/base/uuid.h"

namespace forebay::cli {
namespace {

constexpr absl::Duration kLongestGrace = absl::Hours(1);

bool Never(const v1::FlowRun&) { return false; }

// One whose answer holds the run afterwards.
template <typename Request, typename Response>
absl::StatusOr<v1::FlowRun> CallFor(Client& client, const Request& request) {
  ASSIGN_OR_RETURN(auto response, client.Call<Response>(request));
  return std::move(*response.mutable_flow_run());
}

absl::StatusOr<std::optional<absl::Duration>> GraceOf(const Arguments& arguments) {
  if (!arguments.Has("grace")) return std::nullopt;
  const std::string text = arguments.Get("grace");
  ASSIGN_OR_RETURN(const absl::Duration grace, ParseDurationOption(text, "--grace"));
  if (grace <= kLongestGrace) return grace;
  return Error(absl::StatusCode::kInvalidArgument, "USAGE")
      .Field("grace", text)
      .Says("--grace must be at most 1h, not `{}`", text);
}

std::string CancelSentence(const std::string&, const v1::FlowRun& after) {
  if (IsOver(after.state().type()))
    return fmt::format("Flow run `{}` cancelled.", after.display_name());
  return fmt::format(
      "Flow run `{}` is being stopped by its worker. Follow: forebay flow-run watch {}",
      after.display_name(), LastSegment(after.name()));
}

std::string RetrySentence(const std::string& name, const v1::FlowRun& after) {
  return fmt::format(
      "Flow run {0} is repeated by the new run `{1}` ({2}). Follow it: forebay flow-run watch {2}",
      LastSegment(name), after.display_name(), LastSegment(after.name()));
}

std::string PauseSentence(const std::string&, const v1::FlowRun& after) {
  const std::string id = LastSegment(after.name());
  if (after.state().type() == v1::STATE_TYPE_PAUSED) {
    return fmt::format("Flow run `{}` paused. Resume it: forebay flow-run resume {}",
                       after.display_name(), id);
  }
  return fmt::format(
      "Flow run `{}` is being suspended: its infrastructure is ended. Follow: forebay flow-run "
      "inspect {}",
      after.display_name(), id);
}

std::string ResumeSentence(const std::string&, const v1::FlowRun& after) {
  return fmt::format("Flow run `{}` resumed. Follow it: forebay flow-run watch {}",
                     after.display_name(), LastSegment(after.name()));
}

std::string DeleteSentence(const std::string& name, const v1::FlowRun&) {
  return fmt::format("Flow run {} deleted with its log.", LastSegment(name));
}

}  // namespace

absl::StatusOr<RunChange> CancelChange(Session&, const Arguments& arguments) {
  ASSIGN_OR_RETURN(const auto grace, GraceOf(arguments));
  const auto call = [grace](Client& client,
                            const std::string& name) -> absl::StatusOr<v1::FlowRun> {
    v1::CancelFlowRunRequest request;
    request.set_name(name);
    if (grace.has_value()) SetDuration(*grace, *request.mutable_grace());
    return CallFor<v1::CancelFlowRunRequest, v1::CancelFlowRunResponse>(client, request);
  };
  return RunChange{"cancel",
                   "cancelled",
                   {v1::STATE_TYPE_SCHEDULED, v1::STATE_TYPE_PENDING, v1::STATE_TYPE_RUNNING,
                    v1::STATE_TYPE_PAUSED},
                   call,
                   CancelSentence,
                   [](const v1::FlowRun& after) { return !IsOver(after.state().type()); }};
}

RunChange RetryChange(Session& session) {
  const auto ids = std::make_shared<UuidSource>(session.clock(), SystemRandom());
  const auto call = [ids](Client& client, const std::string& name) -> absl::StatusOr<v1::FlowRun> {
    v1::RetryFlowRunRequest request;
    request.set_name(name);
    request.set_request_id(ids->Next().ToString());
    return CallFor<v1::RetryFlowRunRequest, v1::RetryFlowRunResponse>(client, request);
  };
  return {"retry",
          "retried",
          {v1::STATE_TYPE_FAILED, v1::STATE_TYPE_CRASHED, v1::STATE_TYPE_CANCELLED},
          call,
          RetrySentence,
          Never};
}

RunChange PauseChange() {
  const auto call = [](Client& client, const std::string& name) -> absl::StatusOr<v1::FlowRun> {
    v1::PauseFlowRunRequest request;
    request.set_name(name);
    return CallFor<v1::PauseFlowRunRequest, v1::PauseFlowRunResponse>(client, request);
  };
  return {"pause",
          "paused",
          {v1::STATE_TYPE_SCHEDULED, v1::STATE_TYPE_PENDING, v1::STATE_TYPE_RUNNING},
          call,
          PauseSentence,
          [](const v1::FlowRun& after) { return after.state().type() != v1::STATE_TYPE_PAUSED; }};
}

RunChange ResumeChange() {
  const auto call = [](Client& client, const std::string& name) -> absl::StatusOr<v1::FlowRun> {
    v1::ResumeFlowRunRequest request;
    request.set_name(name);
    return CallFor<v1::ResumeFlowRunRequest, v1::ResumeFlowRunResponse>(client, request);
  };
  return {"resume", "resumed", {v1::STATE_TYPE_PAUSED}, call, ResumeSentence, Never};
}

RunChange DeleteChange() {
  const auto call = [](Client& client, const std::string& name) -> absl::StatusOr<v1::FlowRun> {
    v1::DeleteFlowRunRequest request;
    request.set_name(name);
    RETURN_IF_ERROR(client.Call<v1::DeleteFlowRunResponse>(request).status());
    v1::FlowRun gone;
    gone.set_name(name);
    return gone;
  };
  return {"delete",
          "deleted",
          {v1::STATE_TYPE_COMPLETED, v1::STATE_TYPE_FAILED, v1::STATE_TYPE_CANCELLED,
           v1::STATE_TYPE_CRASHED},
          call,
          DeleteSentence,
          Never};
}

}  // namespace forebay::cli
