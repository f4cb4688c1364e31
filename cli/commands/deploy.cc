#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>

#include "cli/answer.h"
#include "cli/commands/commands.h"
#include "cli/commands/deploy_file.h"
#include "cli/commands/run_request.h"
#include "cli/deployment_fields.h"
#include "cli/flow_inspection.h"
#include "cli/names.h"
#include "cli/output/proto_json.h"
#include "cli/parse.h"
#include "cli/proto_values.h"
#include "cli/run_start.h"
#include "cli/schedule_flags.h"
#include "cli/values.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/base/uuid.h"
#include "common/job_template/job_template.h"
#include "common/os/files.h"
#include "forebay/v1/deployment.pb.h"
#include "forebay/v1/work_pool.pb.h"

namespace forebay::cli {
namespace {

namespace fs = std::filesystem;

constexpr char kProcessType[] = "process";
constexpr char kWorkingDir[] = "working_dir";
constexpr char kJobVariables[] = "job variables";
// Name and pool of a Python flow for which none is given.
constexpr char kDefault[] = "default";

using Pools = std::map<std::string, v1::WorkPool>;

absl::Status MissingOption(std::string_view option) {
  return Error(absl::StatusCode::kInvalidArgument, "USAGE")
      .Field(option, "")
      .Next("forebay deploy --help")
      .Says(
          "--{} is missing; a deployment needs --name, --pool, and file.py:function or --flow and, "
          "after --, its command",
          option);
}

// What the Python flow says of itself, which the options may say otherwise.
absl::Status FillFromFlow(const std::string& entrypoint, v1::Deployment& deployment,
                          std::string& interpreter) {
  ASSIGN_OR_RETURN(const InspectedFlow flow, InspectFlow(entrypoint));
  deployment.set_flow(flow.name);
  deployment.set_entrypoint(entrypoint);
  deployment.set_parameter_schema(flow.parameter_schema);
  deployment.set_description(flow.description);
  deployment.set_version(flow.version);
  if (flow.retry.retries() > 0) *deployment.mutable_retry() = flow.retry;
  if (flow.timeout_seconds > 0)
    SetDuration(absl::Seconds(std::max(1.0, flow.timeout_seconds)), *deployment.mutable_timeout());
  interpreter = flow.interpreter;
  return absl::OkStatus();
}

absl::Status CheckWhat(const Arguments& arguments) {
  const bool python = arguments.Has("entrypoint");
  for (const char* option : {"name", "flow", "pool"}) {
    if (!python && !arguments.Has(option)) return MissingOption(option);
  }
  if (python && (arguments.Has("flow") || !arguments.command().empty())) {
    return Error(absl::StatusCode::kInvalidArgument, "USAGE")
        .Field("entrypoint", arguments.Get("entrypoint"))
        .Says("give file.py:function, or --flow and a command after --, not both");
  }
  if (python || !arguments.command().empty()) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, "COMMAND_MISSING")
      .Field("command", "")
      .Says("the command is missing: put it after --, e.g. forebay deploy … -- python3 flow.py");
}

// `interpreter` gets that of the flow, if it is one of Python.
absl::StatusOr<v1::ApplyDeploymentRequest> FromFlags(const Arguments& arguments, const Here& now,
                                                     std::string& interpreter) {
  RETURN_IF_ERROR(CheckWhat(arguments));
  v1::ApplyDeploymentRequest request;
  v1::Deployment& deployment = *request.mutable_deployment();
  deployment.set_flow(arguments.Get("flow"));
  if (arguments.Has("entrypoint"))
    RETURN_IF_ERROR(FillFromFlow(arguments.Get("entrypoint"), deployment, interpreter));
  const auto given = [&](const char* option) {
    return arguments.Has(option) ? arguments.Get(option) : kDefault;
  };
  deployment.set_name(fmt::format("{}/{}", deployment.flow(), given("name")));
  deployment.set_work_pool(PoolResource(given("pool")));
  deployment.set_work_queue(arguments.Get("queue"));
  RETURN_IF_ERROR(SetDeploymentFields(arguments, deployment).status());
  for (const std::string& word : arguments.command()) deployment.add_command(word);
  ASSIGN_OR_RETURN(const Json parameters, ParametersOf(arguments));
  deployment.set_parameters(DumpJson(parameters));
  ASSIGN_OR_RETURN(const Json variables, JobVariablesOf(arguments));
  deployment.set_job_variables(DumpJson(variables));
  ASSIGN_OR_RETURN(const auto schedules, DeploySchedules(arguments, now));
  for (const v1::Schedule& schedule : schedules) *request.add_schedules() = schedule;
  return request;
}

// Options that say what to deploy; the rest say how.
std::vector<Option> WhatOptions() {
  std::vector<Option> options = {
      {"-n,--name", "NAME", "Name of the deployment (of a Python flow: default)"},
      {"--flow", "FLOW", "Name of the flow, for a command"},
      {"-p,--pool",
       "POOL",
       "Work pool that runs it (of a Python flow: default)",
       false,
       false,
       false,
       {},
       Completes::kPools},
      {"-q,--queue", "QUEUE", "Queue of the pool (default)"},
  };
  for (const auto& more : {ParameterOptions(), DeploymentFieldOptions(), DeployScheduleOptions()})
    options.insert(options.end(), more.begin(), more.end());
  return options;
}

absl::StatusOr<std::vector<v1::ApplyDeploymentRequest>> FromFile(const Arguments& arguments,
                                                                 const Here& now) {
  if (arguments.Has("entrypoint")) {
    return Error(absl::StatusCode::kInvalidArgument, "USAGE")
        .Field("entrypoint", arguments.Get("entrypoint"))
        .Says("with --file everything stands in the file; take away {}",
              arguments.Get("entrypoint"));
  }
  for (const Option& option : WhatOptions()) {
    const std::string name = LongName(option).substr(2);
    const bool given = arguments.Has(name);
    if (!given && arguments.command().empty()) continue;
    return Error(absl::StatusCode::kInvalidArgument, "USAGE")
        .Field(name, arguments.Get(name))
        .Says("with --file everything stands in the file; take away {}",
              given ? fmt::format("--{}", name) : "the words after --");
  }
  ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(arguments.Get("file")));
  return ParseDeployFile(text, arguments.Get("file"), now);
}

// Each pool that is deployed to, asked for once. An unknown one is found before anything is
// changed.
absl::StatusOr<Pools> GetPools(Client& client,
                               const std::vector<v1::ApplyDeploymentRequest>& requests) {
  Pools pools;
  for (const auto& apply : requests) {
    const v1::Deployment& deployment = apply.deployment();
    if (pools.contains(deployment.work_pool())) continue;
    v1::GetWorkPoolRequest request;
    request.set_name(deployment.work_pool());
    ASSIGN_OR_RETURN(const auto response, client.Call<v1::GetWorkPoolResponse>(request));
    pools[deployment.work_pool()] = response.work_pool();
  }
  return pools;
}

bool HasDefault(const JobTemplate& job_template, const char* variable) {
  const Json& schema = job_template.variables_schema();
  const Json pointer_value =
      schema.value(Json::json_pointer(fmt::format("/properties/{}/default", variable)), Json());
  return !pointer_value.is_null();
}

bool Declares(const JobTemplate& job_template, std::string_view variable) {
  const auto& names = job_template.variables();
  return std::find(names.begin(), names.end(), variable) != names.end();
}

// Process runs start in a fresh directory unless told otherwise; who deploys from a directory means
// that one. `notes` gets what it fills in. A relative directory given by the user means one below
// `here`.
absl::Status FillWorkingDirectory(const v1::WorkPool& pool, const fs::path& here,
                                  v1::Deployment& deployment, std::vector<std::string>& notes) {
  ASSIGN_OR_RETURN(const auto job_template, JobTemplate::Parse(pool.base_job_template()));
  ASSIGN_OR_RETURN(Json variables, ParseJsonObject(deployment.job_variables(), kJobVariables));
  RETURN_IF_ERROR(job_template.CheckJobVariables(variables, kJobVariables));
  if (pool.type() != kProcessType || !Declares(job_template, kWorkingDir)) return absl::OkStatus();
  const auto given = variables.find(kWorkingDir);
  if (given == variables.end() && HasDefault(job_template, kWorkingDir)) return absl::OkStatus();
  if (given != variables.end() && !given->is_string()) return absl::OkStatus();
  const fs::path wanted =
      given == variables.end() ? fs::path() : fs::path(given->get<std::string>());
  if (wanted.is_absolute()) return absl::OkStatus();
  std::string directory = (here / wanted).lexically_normal().string();
  if (directory.size() > 1 && directory.ends_with('/')) directory.pop_back();
  notes.push_back(fmt::format("`{}` runs in {} (job variable working_dir).",
                              DeploymentShortName(deployment.name()), directory));
  variables[kWorkingDir] = directory;
  deployment.set_job_variables(DumpJson(variables));
  return absl::OkStatus();
}

// A process run is on the same host: the same interpreter, with all that is installed in it.
void FillInterpreter(const v1::WorkPool& pool, const std::string& interpreter,
                     v1::Deployment& deployment) {
  if (interpreter.empty() || pool.type() != kProcessType) return;
  for (const char* word : {interpreter.c_str(), "-m", "forebay", "flow-run", "execute"})
    deployment.add_command(word);
}

absl::Status RunOnce(Session& session, const v1::Deployment& deployment, bool watch) {
  v1::CreateFlowRunRequest request;
  request.set_deployment(deployment.name());
  request.set_idempotency_key(UuidSource(session.clock(), SystemRandom()).Next().ToString());
  return StartRun(session, request, watch, std::nullopt);
}

void SaySchedules(Session& session, const v1::ApplyDeploymentRequest& request) {
  const int count = request.schedules_size();
  if (count == 0) return;
  session.Say(
      fmt::format("It runs by itself, by {} schedule{}: forebay schedule ls --deployment {}", count,
                  count == 1 ? "" : "s", DeploymentShortName(request.deployment().name())));
}

absl::Status Apply(Session& session, Client& client, const v1::ApplyDeploymentRequest& request) {
  ASSIGN_OR_RETURN(const auto response, client.Call<v1::ApplyDeploymentResponse>(request));
  const v1::Deployment& applied = response.deployment();
  const std::string name = DeploymentShortName(applied.name());
  return AnswerChange(
      session,
      fmt::format("Deployment `{0}` {1} in pool `{2}`. Run it: forebay deployment run {0} --watch",
                  name, response.created() ? "created" : "updated",
                  LastSegment(applied.work_pool())),
      {name, {{"Name", name}, {"Work pool", LastSegment(applied.work_pool())}}, ToJson(applied)});
}

void SayWhereWorkersLack(Session& session, const Pools& pools) {
  for (const auto& [resource, pool] : pools) {
    if (pool.online_workers() > 0) continue;
    session.Say(
        fmt::format("No worker is online in pool `{0}`. Start one: forebay worker start --pool {0}",
                    LastSegment(resource)));
  }
}

absl::Status Deploy(Session& session, const Arguments& arguments) {
  std::vector<v1::ApplyDeploymentRequest> requests;
  fs::path here = fs::current_path();
  std::string interpreter;
  const Here now = {session.clock().Now(), absl::LocalTimeZone()};
  if (arguments.Has("file")) {
    ASSIGN_OR_RETURN(requests, FromFile(arguments, now));
    here = fs::absolute(arguments.Get("file")).parent_path();
  } else {
    ASSIGN_OR_RETURN(auto request, FromFlags(arguments, now, interpreter));
    requests.push_back(std::move(request));
  }
  ASSIGN_OR_RETURN(Client * client, session.client());
  ASSIGN_OR_RETURN(const Pools pools, GetPools(*client, requests));
  std::vector<std::string> notes;
  for (auto& request : requests) {
    request.set_replace_schedules(arguments.Has("replace-schedules"));
    v1::Deployment& deployment = *request.mutable_deployment();
    FillInterpreter(pools.at(deployment.work_pool()), interpreter, deployment);
    RETURN_IF_ERROR(
        Annotate(FillWorkingDirectory(pools.at(deployment.work_pool()), here, deployment, notes),
                 DeploymentShortName(deployment.name())));
  }
  for (const auto& request : requests) {
    RETURN_IF_ERROR(Annotate(Apply(session, *client, request),
                             DeploymentShortName(request.deployment().name())));
    SaySchedules(session, request);
  }
  for (const std::string& note : notes) session.Say(note);
  SayWhereWorkersLack(session, pools);
  if (!arguments.Has("run") && !arguments.Has("watch")) return absl::OkStatus();
  for (const auto& request : requests)
    RETURN_IF_ERROR(RunOnce(session, request.deployment(), arguments.Has("watch")));
  return absl::OkStatus();
}

}  // namespace

std::vector<Command> DeployCommands() {
  std::vector<Option> options = {
      {"-f,--file",
       "FILE",
       "Deploy all that a YAML file lists, instead of the options below",
       false,
       false,
       false,
       {},
       Completes::kFiles},
      {"--run", "", "Then run it once"},
      {"-w,--watch", "", "Then run it once and follow it; exit with the run's outcome"},
      {"--replace-schedules", "", "Delete the deployment's schedules that are not given here"},
  };
  for (Option& option : WhatOptions()) options.push_back(std::move(option));
  return {{"deploy",
           "Make a Python flow or a command runnable from afar: forebay deploy flows.py:hello …",
           {{"ENTRYPOINT", "file.py:function", false, {}, Completes::kFiles}},
           options,
           true,
           false,
           Deploy}};
}

}  // namespace forebay::cli
