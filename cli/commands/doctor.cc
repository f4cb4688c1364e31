#include <ostream>

#include "cli/answer.h"
#include "cli/commands/commands.h"
#include "cli/names.h"
#include "cli/process.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/os/subprocess.h"
#include "forebay/v1/server.pb.h"
#include "forebay/v1/work_pool.pb.h"

namespace forebay::cli {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(5);
constexpr absl::Duration kEnginePatience = absl::Seconds(30);

struct Finding {
  std::string name;
  bool good = false;
  std::string text;
};

Finding ServerFinding(Session& session) {
  const auto client = session.client();
  if (!client.ok()) return {"server", false, std::string(MessageOf(client.status()))};
  const auto response = (*client)->Call<v1::GetVersionResponse>(v1::GetVersionRequest(), kPatience);
  if (!response.ok()) return {"server", false, std::string(MessageOf(response.status()))};
  return {"server", true, fmt::format("{} at {}", response->version(), (*client)->server())};
}

// The worker's own word, because its settings decide which engine it asks, and how.
Finding WorkerFinding(const std::string& name, const std::vector<std::string>& words) {
  const auto program = FindProgram("forebay-worker");
  if (!program.ok()) return {name, false, std::string(MessageOf(program.status()))};
  SubprocessSpec spec;
  spec.argv = {*program, "--check-engine"};
  spec.argv.insert(spec.argv.end(), words.begin(), words.end());
  spec.environment = CurrentEnvironment();
  const auto result = RunCommand(spec, kEnginePatience);
  if (!result.ok()) return {name, false, std::string(MessageOf(result.status()))};
  return {name, result->exit.success(), ReplaceAll(Trim(result->output), "\n", "; ")};
}

Finding EngineFinding(const Arguments& arguments) {
  std::vector<std::string> words;
  if (arguments.Has("docker-host")) {
    words.push_back("--docker-host=" + arguments.Get("docker-host"));
  }
  return WorkerFinding("container engine", words);
}

Finding ClusterFinding(const Arguments& arguments) {
  std::vector<std::string> words = {"--type=kubernetes"};
  for (const char* option : {"kubeconfig", "kubernetes-context"}) {
    if (arguments.Has(option)) {
      words.push_back(fmt::format("--{}={}", option, arguments.Get(option)));
    }
  }
  for (const std::string& name : arguments.All("kubernetes-namespace")) {
    words.push_back("--kubernetes-namespaces=" + name);
  }
  return WorkerFinding("cluster", words);
}

// What launches the runs of the pool; without a pool, what the options are about. Nothing for a
// pool whose worker needs nothing else.
std::vector<Finding> LaunchFindings(Session& session, const Arguments& arguments) {
  std::string type = arguments.Has("kubeconfig") ? "kubernetes" : "docker";
  if (arguments.Has("pool")) {
    const auto client = session.client();
    if (!client.ok()) return {};
    v1::GetWorkPoolRequest request;
    request.set_name(PoolResource(LastSegment(arguments.Get("pool"))));
    const auto response = (*client)->Call<v1::GetWorkPoolResponse>(request, kPatience);
    if (!response.ok()) {
      return {{"work pool", false, std::string(MessageOf(response.status()))}};
    }
    type = response->work_pool().type();
  }
  if (type == "kubernetes") return {ClusterFinding(arguments)};
  if (type == "docker") return {EngineFinding(arguments)};
  return {};
}

absl::Status Doctor(Session& session, const Arguments& arguments) {
  Listing listing;
  listing.columns = {{"CHECK"}, {"RESULT", false, false, true}, {"WHAT IT SAYS"}};
  std::vector<Finding> findings = {ServerFinding(session)};
  for (Finding& finding : LaunchFindings(session, arguments)) {
    findings.push_back(std::move(finding));
  }
  int bad = 0;
  for (const Finding& finding : findings) {
    listing.rows.push_back(
        {finding.name,
         {finding.name, finding.good ? "GOOD" : "BAD", finding.text},
         Json{{"check", finding.name}, {"good", finding.good}, {"message", finding.text}}});
    bad += finding.good ? 0 : 1;
  }
  RETURN_IF_ERROR(AnswerList(session, listing, ""));
  if (bad == 0) return absl::OkStatus();
  return Error(absl::StatusCode::kFailedPrecondition, "NOT_WELL")
      .Says("{} of {} checks are bad", bad, listing.rows.size());
}

}  // namespace

std::vector<Command> DoctorCommands() {
  return {{"doctor",
           "Say what is wrong here: the server, the container engine, the cluster",
           {},
           {{"-p,--pool",
             "POOL",
             "What launches the runs of this work pool",
             false,
             false,
             false,
             {},
             Completes::kPools},
            {"--docker-host", "URL", "Container engine (unix:///var/run/docker.sock)"},
            {"--kubeconfig",
             "FILE",
             "Cluster of a kubernetes pool",
             false,
             false,
             false,
             {},
             Completes::kFiles},
            {"--kubernetes-context", "NAME", "Context of the kubeconfig (its current one)"},
            {"--kubernetes-namespace", "NAME", "Namespace to look at (the context's own)", false,
             true}},
           false,
           false,
           Doctor}};
}

}  // namespace forebay::cli
