#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/answer.h"
#include "cli/commands/commands.h"
#include "cli/job_view.h"
#include "cli/names.h"
#include "cli/output/proto_json.h"
#include "cli/output/yaml.h"
#include "cli/values.h"
#include "common/base/status.h"
#include "common/config/yaml.h"
#include "common/os/files.h"
#include "forebay/v1/work_pool.pb.h"

namespace forebay::cli {
namespace {

constexpr char kNoPolicy[] = "# no policy of its own: the built-in rules of its type hold";

// The file, YAML or JSON, as the JSON text that servers take.
absl::StatusOr<std::string> ReadPolicyFile(const std::string& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(path));
  ASSIGN_OR_RETURN(const Json policy, ParseYaml(text, path));
  if (policy.is_null()) return std::string();
  return DumpJson(policy);
}

absl::StatusOr<v1::WorkPool> GetPool(Client& client, const std::string& name) {
  v1::GetWorkPoolRequest request;
  request.set_name(PoolResource(name));
  ASSIGN_OR_RETURN(auto response, client.Call<v1::GetWorkPoolResponse>(request));
  return std::move(*response.mutable_work_pool());
}

absl::Status Get(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  ASSIGN_OR_RETURN(const auto pool, GetPool(*client, arguments.Get("name")));
  ASSIGN_OR_RETURN(const Json policy, ParseJsonObject(pool.policy(), "policy"));
  if (session.output().format == OutputFormat::kJson) {
    return AnswerCard(session, {"", {}, policy});
  }
  session.out() << (policy.empty() ? std::string(kNoPolicy) + "\n" : ToYaml(policy)) << std::flush;
  return absl::OkStatus();
}

absl::Status Set(Session& session, const Arguments& arguments) {
  v1::UpdateWorkPoolRequest request;
  v1::WorkPool& pool = *request.mutable_work_pool();
  pool.set_name(PoolResource(arguments.Get("name")));
  if (!arguments.Has("none")) {
    if (!arguments.Has("file")) {
      return Error(absl::StatusCode::kInvalidArgument, "USAGE")
          .Field("file", "")
          .Next("forebay work-pool policy set --help")
          .Says("give the policy with -f FILE, or --none for the built-in rules alone");
    }
    ASSIGN_OR_RETURN(*pool.mutable_policy(), ReadPolicyFile(arguments.Get("file")));
  }
  request.mutable_update_mask()->add_paths("policy");
  ASSIGN_OR_RETURN(Client * client, session.client());
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::UpdateWorkPoolResponse>(request));
  const std::string name = LastSegment(response.work_pool().name());
  return AnswerChange(
      session,
      fmt::format("Policy of work pool `{0}` set; it holds for runs created and launched from now "
                  "on. What it denies: forebay work-pool policy check {0}",
                  name),
      {name, {}, ToJson(response.work_pool())});
}

absl::Status Check(Session& session, const Arguments& arguments) {
  v1::CheckPolicyRequest request;
  request.set_work_pool(PoolResource(arguments.Get("name")));
  if (arguments.Has("file")) {
    ASSIGN_OR_RETURN(*request.mutable_policy(), ReadPolicyFile(arguments.Get("file")));
  }
  ASSIGN_OR_RETURN(Client * client, session.client());
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::CheckPolicyResponse>(request));
  const OutputFormat format = session.output().format;
  if (format == OutputFormat::kJson || format == OutputFormat::kYaml) {
    RETURN_IF_ERROR(AnswerCard(session, {"", {}, ToJson(response)}));
  } else {
    for (const v1::DeploymentVerdict& verdict : response.verdicts()) {
      session.out() << DeploymentShortName(verdict.deployment()) << "\n";
      ShowFaults(session, verdict.problems(), verdict.denials());
    }
    session.Say(fmt::format("{} deployments checked, {} would be refused.",
                            response.deployments_checked(), response.verdicts_size()));
    session.out() << std::flush;
  }
  if (response.verdicts().empty()) return absl::OkStatus();
  return Error(absl::StatusCode::kFailedPrecondition, "NOT_LAUNCHABLE")
      .Says("{} of {} deployments would be refused", response.verdicts_size(),
            response.deployments_checked());
}

absl::Status PreviewJob(Session& session, const Arguments& arguments) {
  Json variables = Json::object();
  RETURN_IF_ERROR(LayAssignments(arguments.All("set"), "--set", variables));
  v1::RenderJobRequest request;
  request.set_work_pool(PoolResource(arguments.Get("name")));
  request.set_deployment(arguments.Get("deployment"));
  request.set_job_variables(DumpJson(variables));
  ASSIGN_OR_RETURN(Client * client, session.client());
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::RenderJobResponse>(request));
  return ShowJob(
      session,
      fmt::format("Job of pool {} ({}):", LastSegment(response.work_pool()), response.type()),
      response);
}

}  // namespace

std::vector<Command> PolicyCommands() {
  const Positional name = {"NAME", "Name of the work pool", true, {}, Completes::kPools};
  const Option file = {"-f,--file", "FILE", "Policy, YAML or JSON", false, false,
                       false,       {},     Completes::kFiles};
  return {
      {"work-pool policy get",
       "Print what may be launched in a pool",
       {name},
       {},
       false,
       false,
       Get},
      {"work-pool policy set",
       "Say what may be launched in a pool",
       {name},
       {file, {"--none", "", "The built-in rules alone"}},
       false,
       false,
       Set},
      {"work-pool policy check",
       "Which deployments a policy would refuse (the pool's own without -f)",
       {name},
       {file},
       false,
       false,
       Check},
      {"work-pool preview-job",
       "What would be launched in a pool, who set it, and whether it is allowed",
       {name},
       {{"-d,--deployment",
         "NAME",
         "With this deployment's variables",
         false,
         false,
         false,
         {},
         Completes::kDeployments},
        {"--set", "NAME=VALUE", "Job variable of the run, such as env.DEBUG=1", false, true}},
       false,
       false,
       PreviewJob},
  };
}

}  // namespace forebay::cli
