#include "server/submit/submission.h"
#include "server/runs/by_hand.h"

#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/crypto/sha256.h"
#include "server/api/messages.h"
#include "server/api/storable_text.h"
#include "server/policy/launchable.h"
#include "server/store/flow_program.h"
#include "server/submit/display_name.h"

namespace forebay::server {
namespace {

constexpr size_t kMostParameterBytes = 512 << 10;
constexpr size_t kMostKeyBytes = 255;
constexpr int kMostTags = 50;

absl::Status CheckSize(std::string_view field, size_t size, size_t most) {
  if (size <= most) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, "TOO_LARGE")
      .Field(field, std::to_string(size))
      .Says("{} has {} bytes; at most {} are taken", field, size, most);
}

// `defaults` with the request's parameters laid over them, key by key, as the flow wants them.
absl::StatusOr<std::string> MergeParameters(const std::string& defaults, const std::string& given,
                                            const DeploymentSnapshot& deployment) {
  ASSIGN_OR_RETURN(Json overlay, ParseJsonObject(given, "parameters"));
  const auto& schema = deployment.parameter_schema;
  if (overlay.empty() && !schema.has_value()) return defaults;
  ASSIGN_OR_RETURN(Json merged, ParseJsonObject(defaults, "deployment.parameters"));
  for (const auto& [key, value] : overlay.items()) merged[key] = value;
  if (schema.has_value()) RETURN_IF_ERROR(CheckParameters(*schema, merged, true));
  return DumpJson(merged);
}

absl::StatusOr<std::string> CheckVariables(const std::string& given,
                                           const DeploymentSnapshot& deployment) {
  RETURN_IF_ERROR(deployment.unusable);
  if (given.empty() || given == "{}") {
    RETURN_IF_ERROR(deployment.launchable);
    return std::string("{}");
  }
  ASSIGN_OR_RETURN(const Json layer, ParseJsonObject(given, "job_variables"));
  RETURN_IF_ERROR(deployment.job_template->CheckJobVariables(layer, "job_variables"));
  RETURN_IF_ERROR(CheckLaunchable(deployment, layer));
  return DumpJson(layer);
}

std::string PayloadHash(const v1::CreateFlowRunRequest& request, const Uuid& deployment) {
  v1::CreateFlowRunRequest payload = request;
  payload.clear_idempotency_key();
  // The deployment may be named in several forms.
  payload.set_deployment(deployment.ToString());
  return Sha256(payload.SerializeAsString());
}

}  // namespace

absl::StatusOr<Submission> PrepareSubmission(const RunOrder& order, const Caller& caller,
                                             std::shared_ptr<const DeploymentSnapshot> deployment,
                                             UuidSource& ids, Random& random) {
  const v1::CreateFlowRunRequest& request = order.request;
  RETURN_IF_ERROR(CheckSize("parameters", request.parameters().size(), kMostParameterBytes));
  RETURN_IF_ERROR(CheckSize("job_variables", request.job_variables().size(), kMostParameterBytes));
  RETURN_IF_ERROR(CheckSize("idempotency_key", request.idempotency_key().size(), kMostKeyBytes));
  RETURN_IF_ERROR(CheckSize("tags", static_cast<size_t>(request.tags_size()), kMostTags));
  // The database would refuse the whole batch for one.
  RETURN_IF_ERROR(CheckStorable(request));
  RETURN_IF_ERROR(RefuseByHand(deployment->flow_name, deployment->name, "run from afar"));
  Submission submission;
  const bool whole = order.retry_of.has_value();
  ASSIGN_OR_RETURN(submission.parameters, MergeParameters(whole ? "{}" : deployment->parameters,
                                                          request.parameters(), *deployment));
  ASSIGN_OR_RETURN(submission.job_variables, CheckVariables(request.job_variables(), *deployment));
  submission.run = ids.Next();
  submission.team = caller.team;
  submission.creator = caller.user;
  submission.creator_name = caller.user_name;
  submission.display_name = MakeDisplayName(random);
  submission.retry_of = order.retry_of;
  if (!whole) submission.tags = deployment->tags;
  submission.tags.insert(submission.tags.end(), request.tags().begin(), request.tags().end());
  if (request.has_due_time()) submission.due = FromProto(request.due_time());
  submission.idempotency_key = request.idempotency_key();
  if (!submission.idempotency_key.empty())
    submission.payload_hash = PayloadHash(request, deployment->id);
  submission.deployment = std::move(deployment);
  return submission;
}

}  // namespace forebay::server
