#include "server/runs/by_hand.h"

#include <optional>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/crypto/token.h"
#include "common/job_template/job_template.h"
#include "common/json/json.h"
#include "server/api/messages.h"
#include "server/db/queries.h"
#include "server/runs/run_calls.h"
#include "server/store/deployments.h"
#include "server/store/work_pools.h"
#include "server/submit/display_name.h"

namespace forebay::server {
namespace {

constexpr char kPoolType[] = "process";
constexpr size_t kMostParameterBytes = 512 << 10;
constexpr size_t kMostNameBytes = 255;
constexpr int kMostTags = 50;

struct Target {
  Uuid deployment;
  Uuid pool;
  Uuid queue;
};

absl::StatusOr<std::optional<Target>> Find(Session& session, const Caller& caller,
                                           const DeploymentName& name) {
  ASSIGN_OR_RETURN(Rows rows,
                   session.Run(queries::kFindByHand,
                               Args().Id(caller.team).Text(name.flow).Text(name.deployment)));
  if (rows.empty()) return std::nullopt;
  return Target{rows.Id(0, 0), rows.Id(0, 1), rows.Id(0, 2)};
}

absl::Status EnsurePool(Session& session, const Caller& caller, UuidSource& ids) {
  const auto found = ReadPool(session, kByHand);
  if (!absl::IsNotFound(found.status())) return found.status();
  v1::WorkPool pool;
  pool.set_type(kPoolType);
  pool.set_description("Runs that were started by hand. They wait for no worker.");
  pool.set_base_job_template(std::string(DefaultJobTemplate(kPoolType)));
  return InsertPool(session, caller, ids, pool, kByHand);
}

absl::Status MakeDeployment(Session& session, const Caller& caller, UuidSource& ids,
                            const DeploymentName& name, const std::string& program) {
  v1::Deployment deployment;
  deployment.set_work_pool(fmt::format("workPools/{}", kByHand));
  deployment.set_description("Runs of this flow that were started by hand.");
  deployment.add_command(program.empty() ? "python3" : program);
  ASSIGN_OR_RETURN(const auto made, ApplyDeployment(session, caller, ids, deployment, name));
  // Nobody takes runs of it, should there ever be any.
  return session.Run(queries::kSetDeploymentPaused, Args().Id(made.first).Bool(true)).status();
}

absl::StatusOr<Target> EnsureTarget(Session& session, const Caller& caller, UuidSource& ids,
                                    const DeploymentName& name, const std::string& program) {
  ASSIGN_OR_RETURN(auto known, Find(session, caller, name));
  if (known.has_value()) return *known;
  RETURN_IF_ERROR(InTransaction(session, [&]() -> absl::Status {
    RETURN_IF_ERROR(session.Run(queries::kOwnByHand, {}).status());
    ASSIGN_OR_RETURN(known, Find(session, caller, name));
    if (known.has_value()) return absl::OkStatus();
    RETURN_IF_ERROR(EnsurePool(session, caller, ids));
    RETURN_IF_ERROR(MakeDeployment(session, caller, ids, name, program));
    ASSIGN_OR_RETURN(known, Find(session, caller, name));
    return absl::OkStatus();
  }));
  if (known.has_value()) return *known;
  return absl::InternalError("a deployment that was just made is not there");
}

absl::Status TooLarge(std::string_view field, size_t size, size_t most) {
  return Error(absl::StatusCode::kInvalidArgument, "TOO_LARGE")
      .Field(field, std::to_string(size))
      .Says("{} has {}; at most {} are taken", field, size, most);
}

absl::StatusOr<std::string> CheckedParameters(const v1::BeginFlowRunRequest& request) {
  if (request.parameters().size() > kMostParameterBytes)
    return TooLarge("parameters", request.parameters().size(), kMostParameterBytes);
  if (request.tags_size() > kMostTags)
    return TooLarge("tags", static_cast<size_t>(request.tags_size()), kMostTags);
  for (const std::string* text : {&request.display_name(), &request.place(), &request.program()}) {
    if (text->size() > kMostNameBytes) return TooLarge("name", text->size(), kMostNameBytes);
  }
  if (request.parameters().empty()) return std::string("{}");
  ASSIGN_OR_RETURN(const Json parameters, ParseJsonObject(request.parameters(), "parameters"));
  return DumpJson(parameters);
}

}  // namespace

absl::Status RefuseByHand(const std::string& flow, const std::string& deployment,
                          std::string_view what) {
  if (deployment != kByHand) return absl::OkStatus();
  return Error(absl::StatusCode::kFailedPrecondition, "STARTED_BY_HAND")
      .Field("deployment", fmt::format("{}/{}", flow, deployment))
      .Next("forebay deploy --help")
      .Says(
          "{}/{} stands for runs that are started by hand and cannot be {}; call the flow again, "
          "or deploy it under a name of your own",
          flow, deployment, what);
}

absl::StatusOr<v1::BeginFlowRunResponse> BeginByHand(Session& session, const Caller& caller,
                                                     UuidSource& ids, Random& random,
                                                     const v1::BeginFlowRunRequest& request) {
  ASSIGN_OR_RETURN(const DeploymentName name,
                   DeploymentNameOf(fmt::format("{}/{}", request.flow(), kByHand), "flow"));
  ASSIGN_OR_RETURN(const std::string parameters, CheckedParameters(request));
  const std::string shown =
      request.display_name().empty() ? MakeDisplayName(random) : request.display_name();
  const std::string tags =
      TextArray(std::vector<std::string>(request.tags().begin(), request.tags().end()));
  const Uuid run = ids.Next();
  const std::string token = MintToken(TokenKind::kRun, random);
  ASSIGN_OR_RETURN(const Target target,
                   EnsureTarget(session, caller, ids, name, request.program()));
  RETURN_IF_ERROR(session
                      .Run(queries::kBeginByHand, Args()
                                                      .Id(run)
                                                      .Id(caller.team)
                                                      .Id(caller.user)
                                                      .Id(target.deployment)
                                                      .Id(target.pool)
                                                      .Id(target.queue)
                                                      .Text(shown)
                                                      .Text(parameters)
                                                      .Array(tags)
                                                      .Bytes(HashToken(token))
                                                      .Text(request.place()))
                      .status());
  v1::BeginFlowRunResponse response;
  response.set_name("flowRuns/" + run.ToString());
  response.set_display_name(shown);
  response.set_run_token(token);
  ToProto(kRunBeat, *response.mutable_heartbeat_interval());
  return response;
}

}  // namespace forebay::server
