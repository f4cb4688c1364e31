#include <algorithm>
#include <filesystem>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "cli/answer.h"
#include "cli/commands/commands.h"
#include "cli/commands/run_request.h"
#include "cli/deploy/deploy_file.h"
#include "cli/deploy/flow_inspection.h"
#include "cli/deploy/image_plan.h"
#include "cli/deploy/pool_fit.h"
#include "cli/deployment_fields.h"
#include "cli/names.h"
#include "cli/output/proto_json.h"
#include "cli/parse.h"
#include "cli/run_start.h"
#include "cli/schedule_flags.h"
#include "cli/values.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/base/uuid.h"
#include "common/json/json.h"
#include "common/os/files.h"
#include "forebay/v1/deployment.pb.h"
#include "forebay/v1/work_pool.pb.h"

namespace forebay::cli {
namespace {

namespace fs = std::filesystem;

constexpr char kDeployFile[] = "forebay.yaml";
// Name and pool of a Python flow for which none is given.
constexpr char kDefault[] = "default";

using Pools = std::map<std::string, v1::WorkPool>;

absl::Status MissingOption(std::string_view option) {
  return Error(absl::StatusCode::kInvalidArgument, "USAGE")
      .Field(option, "")
      .Next("forebay deploy --help")
      .Says(
          "--{} is missing; a deployment needs --name, --pool, and file.py:function or --flow and, "
          "after --, its command; or --all, for what ./forebay.yaml lists",
          option);
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

absl::Status CheckImageOptions(const Arguments& arguments) {
  for (const char* option : {"dockerfile", "no-build", "no-push"}) {
    if (!arguments.Has(option) || arguments.Has("image")) continue;
    return Error(absl::StatusCode::kInvalidArgument, "USAGE")
        .Field(option, arguments.Get(option))
        .Says("--{} is about an image; give --image NAME too", option);
  }
  const std::string image = arguments.Get("image");
  const bool tagged = image.find(':', image.rfind('/') + 1) != std::string::npos;
  if (arguments.Has("no-build") && !tagged) {
    return Error(absl::StatusCode::kInvalidArgument, "USAGE")
        .Field("image", image)
        .Says("--no-build takes an image that is there: give it with its tag, like {}:1", image);
  }
  if (!arguments.Has("image") || arguments.Has("entrypoint")) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, "USAGE")
      .Field("image", arguments.Get("image"))
      .Says(
          "--image builds an image of a Python flow; the image of a command is a job variable: "
          "--job-variable image={}",
          arguments.Get("image"));
}

std::optional<ImagePlan> ImageOf(const Arguments& arguments) {
  if (!arguments.Has("image")) return std::nullopt;
  Json settings = {{"image", arguments.Get("image")}};
  if (arguments.Has("dockerfile")) settings["dockerfile"] = arguments.Get("dockerfile");
  return ImagePlan{DumpJson(settings), !arguments.Has("no-build"), !arguments.Has("no-push")};
}

absl::StatusOr<PlannedDeployment> FromFlags(const Arguments& arguments, const Here& now) {
  RETURN_IF_ERROR(CheckWhat(arguments));
  RETURN_IF_ERROR(CheckImageOptions(arguments));
  PlannedDeployment planned;
  planned.image = ImageOf(arguments);
  v1::Deployment& deployment = *planned.request.mutable_deployment();
  const auto given = [&](const char* option) {
    return arguments.Has(option) ? arguments.Get(option) : kDefault;
  };
  if (arguments.Has("entrypoint")) {
    deployment.set_name(given("name"));
    deployment.set_entrypoint(arguments.Get("entrypoint"));
    ASSIGN_OR_RETURN(const auto flow, InspectFlow(deployment.entrypoint(), ""));
    CompleteFromFlow(flow, planned);
  } else {
    deployment.set_flow(arguments.Get("flow"));
    deployment.set_name(fmt::format("{}/{}", deployment.flow(), arguments.Get("name")));
  }
  deployment.set_work_pool(PoolResource(given("pool")));
  deployment.set_work_queue(arguments.Get("queue"));
  RETURN_IF_ERROR(SetDeploymentFields(arguments, deployment).status());
  for (const std::string& word : arguments.command()) deployment.add_command(word);
  ASSIGN_OR_RETURN(const Json parameters, ParametersOf(arguments));
  deployment.set_parameters(DumpJson(parameters));
  ASSIGN_OR_RETURN(const Json variables, JobVariablesOf(arguments));
  deployment.set_job_variables(DumpJson(variables));
  ASSIGN_OR_RETURN(const auto schedules, DeploySchedules(arguments, now));
  for (const v1::Schedule& schedule : schedules) *planned.request.add_schedules() = schedule;
  return planned;
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
      {"--image", "NAME", "Build the directory of a Python flow into an image for its runs"},
      {"--dockerfile", "FILE", "By this Dockerfile instead of one that is made for it"},
      {"--no-build", "", "The image is there already; nothing is pushed"},
      {"--no-push", "", "The image stays on this machine"},
  };
  for (const auto& more : {ParameterOptions(), DeploymentFieldOptions(), DeployScheduleOptions()})
    options.insert(options.end(), more.begin(), more.end());
  return options;
}

// Nothing that the file says is said by an option or a word too.
absl::Status CheckFileAlone(const Arguments& arguments) {
  if (arguments.Has("entrypoint")) {
    return Error(absl::StatusCode::kInvalidArgument, "USAGE")
        .Field("entrypoint", arguments.Get("entrypoint"))
        .Says("with a file everything stands in the file; take away {}",
              arguments.Get("entrypoint"));
  }
  for (const Option& option : WhatOptions()) {
    const std::string name = LongName(option).substr(2);
    const bool given = arguments.Has(name);
    if (!given && arguments.command().empty()) continue;
    return Error(absl::StatusCode::kInvalidArgument, "USAGE")
        .Field(name, arguments.Get(name))
        .Says("with a file everything stands in the file; take away {}",
              given ? fmt::format("--{}", name) : "the words after --");
  }
  return absl::OkStatus();
}

// Of entries whose own name is none that is wanted the flows are not even looked at.
void KeepNamed(const std::vector<std::string>& wanted, std::vector<PlannedDeployment>& planned) {
  std::vector<PlannedDeployment> kept;
  for (const PlannedDeployment& one : planned) {
    const std::string name = LastSegment(one.request.deployment().name());
    const bool is_wanted = std::any_of(wanted.begin(), wanted.end(), [&](const std::string& full) {
      return LastSegment(full) == name;
    });
    if (is_wanted) kept.push_back(one);
  }
  // Where nothing fits, all of them are needed to say what there is.
  if (!kept.empty()) planned = std::move(kept);
}

absl::Status RefuseTwins(const std::string& file, const std::vector<PlannedDeployment>& planned) {
  std::set<std::string> names;
  for (const PlannedDeployment& one : planned) {
    const std::string& name = one.request.deployment().name();
    if (names.insert(name).second) continue;
    return Error(absl::StatusCode::kInvalidArgument, "INVALID_CONFIG_VALUE")
        .Field("name", name)
        .Says("{}: deployment {} stands there twice; give one of them another name", file, name);
  }
  return absl::OkStatus();
}

absl::Status KeepOnly(const std::vector<std::string>& wanted, const std::string& file,
                      std::vector<PlannedDeployment>& planned) {
  std::vector<std::string> names;
  for (const auto& one : planned)
    names.push_back(DeploymentShortName(one.request.deployment().name()));
  for (const std::string& name : wanted) {
    if (std::find(names.begin(), names.end(), name) != names.end()) continue;
    return Error(absl::StatusCode::kNotFound, "DEPLOYMENT_NOT_FOUND")
        .Field("only", name)
        .With("nearest", NearestName(name, names))
        .Says("{} has no deployment `{}`; it has {}", file, name, Join(names, ", "));
  }
  if (wanted.empty()) return absl::OkStatus();
  std::erase_if(planned, [&](const PlannedDeployment& one) {
    const std::string name = DeploymentShortName(one.request.deployment().name());
    return std::find(wanted.begin(), wanted.end(), name) == wanted.end();
  });
  return absl::OkStatus();
}

absl::StatusOr<std::vector<PlannedDeployment>> FromFile(const Arguments& arguments,
                                                        const fs::path& file, const Here& now) {
  RETURN_IF_ERROR(CheckFileAlone(arguments));
  ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(file.string()));
  ASSIGN_OR_RETURN(auto planned, ParseDeployFile(text, file.string(), now));
  const std::string directory = fs::absolute(file).parent_path();
  KeepNamed(arguments.All("only"), planned);
  for (PlannedDeployment& one : planned) {
    if (!IsPython(one)) continue;
    v1::Deployment& deployment = *one.request.mutable_deployment();
    const auto flow = InspectFlow(deployment.entrypoint(), directory);
    if (!flow.ok()) return Annotate(flow.status(), deployment.name());
    CompleteFromFlow(*flow, one);
  }
  RETURN_IF_ERROR(KeepOnly(arguments.All("only"), file.string(), planned));
  RETURN_IF_ERROR(RefuseTwins(file.string(), planned));
  return planned;
}

// Each pool that is deployed to, asked for once. An unknown one is found before anything is
// changed.
absl::StatusOr<Pools> GetPools(Client& client, const std::vector<PlannedDeployment>& planned) {
  Pools pools;
  for (const auto& one : planned) {
    const v1::Deployment& deployment = one.request.deployment();
    if (pools.contains(deployment.work_pool())) continue;
    v1::GetWorkPoolRequest request;
    request.set_name(deployment.work_pool());
    ASSIGN_OR_RETURN(const auto response, client.Call<v1::GetWorkPoolResponse>(request));
    pools[deployment.work_pool()] = response.work_pool();
  }
  return pools;
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

// The file that is meant; nothing: options say what to deploy.
std::optional<fs::path> FileOf(const Arguments& arguments) {
  if (arguments.Has("file")) return fs::path(arguments.Get("file"));
  if (arguments.Has("all") || arguments.Has("only")) return fs::path(kDeployFile);
  return std::nullopt;
}

absl::Status CheckFile(const Arguments& arguments, const fs::path& file) {
  if (FileExists(file.string())) return absl::OkStatus();
  return Error(absl::StatusCode::kNotFound, "FILE_NOT_FOUND")
      .Field("file", file.string())
      .Next(arguments.Has("file") ? "forebay deploy --help" : "forebay init")
      .Says("there is no file {}", file.string());
}

// Everything that can be found wrong is found here, before anything is built or registered.
absl::Status Prepare(const Pools& pools, const fs::path& here,
                     std::vector<PlannedDeployment>& planned, std::vector<std::string>& notes) {
  for (PlannedDeployment& one : planned) {
    const v1::Deployment& deployment = one.request.deployment();
    RETURN_IF_ERROR(Annotate(FitToPool(pools.at(deployment.work_pool()), here, one, notes),
                             DeploymentShortName(deployment.name())));
  }
  return PlaceInImages(here.string(), planned);
}

// The server's word on all of them, before anything is built or changed.
absl::Status Validate(Client& client, const std::vector<PlannedDeployment>& planned) {
  for (const PlannedDeployment& one : planned) {
    v1::ApplyDeploymentRequest request = one.request;
    request.set_validate_only(true);
    RETURN_IF_ERROR(Annotate(client.Call<v1::ApplyDeploymentResponse>(request).status(),
                             DeploymentShortName(request.deployment().name())));
  }
  return absl::OkStatus();
}

absl::Status Register(Session& session, Client& client, const Arguments& arguments,
                      std::vector<PlannedDeployment>& planned) {
  for (PlannedDeployment& one : planned) {
    one.request.set_replace_schedules(arguments.Has("replace-schedules"));
    RETURN_IF_ERROR(Annotate(Apply(session, client, one.request),
                             DeploymentShortName(one.request.deployment().name())));
    SaySchedules(session, one.request);
  }
  return absl::OkStatus();
}

absl::Status Deploy(Session& session, const Arguments& arguments) {
  std::vector<PlannedDeployment> planned;
  fs::path here = fs::current_path();
  const Here now = {session.clock().Now(), absl::LocalTimeZone()};
  if (const auto file = FileOf(arguments)) {
    RETURN_IF_ERROR(CheckFile(arguments, *file));
    ASSIGN_OR_RETURN(planned, FromFile(arguments, *file, now));
    here = fs::absolute(*file).parent_path();
  } else {
    ASSIGN_OR_RETURN(auto one, FromFlags(arguments, now));
    planned.push_back(std::move(one));
  }
  ASSIGN_OR_RETURN(Client * client, session.client());
  ASSIGN_OR_RETURN(const Pools pools, GetPools(*client, planned));
  std::vector<std::string> notes;
  RETURN_IF_ERROR(Prepare(pools, here, planned, notes));
  RETURN_IF_ERROR(Validate(*client, planned));
  RETURN_IF_ERROR(MakeImages(here.string(), planned));
  RETURN_IF_ERROR(Register(session, *client, arguments, planned));
  for (const std::string& note : notes) session.Say(note);
  SayWhereWorkersLack(session, pools);
  if (!arguments.Has("run") && !arguments.Has("watch")) return absl::OkStatus();
  for (const auto& one : planned)
    RETURN_IF_ERROR(RunOnce(session, one.request.deployment(), arguments.Has("watch")));
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
      {"-a,--all", "", "Deploy all that ./forebay.yaml lists"},
      {"--only", "NAME", "Of the file, the deployment flow/name alone; may be repeated", false,
       true},
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
