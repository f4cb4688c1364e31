#include <ostream>

#include "cli/answer.h"
#include "cli/commands/commands.h"
#include "cli/process.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/os/subprocess.h"
#include "forebay/v1/server.pb.h"

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
Finding EngineFinding(const Arguments& arguments) {
  const auto program = FindProgram("forebay-worker");
  if (!program.ok()) return {"container engine", false, std::string(MessageOf(program.status()))};
  SubprocessSpec spec;
  spec.argv = {*program, "--check-engine"};
  if (arguments.Has("docker-host")) {
    spec.argv.push_back("--docker-host=" + arguments.Get("docker-host"));
  }
  spec.environment = CurrentEnvironment();
  const auto result = RunCommand(spec, kEnginePatience);
  if (!result.ok()) return {"container engine", false, std::string(MessageOf(result.status()))};
  return {"container engine", result->exit.success(), ReplaceAll(Trim(result->output), "\n", "; ")};
}

absl::Status Doctor(Session& session, const Arguments& arguments) {
  Listing listing;
  listing.columns = {{"CHECK"}, {"RESULT", false, false, true}, {"WHAT IT SAYS"}};
  int bad = 0;
  for (const Finding& finding : {ServerFinding(session), EngineFinding(arguments)}) {
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
           "Say what is wrong here: the server, the container engine",
           {},
           {{"--docker-host", "URL", "Container engine (unix:///var/run/docker.sock)"}},
           false,
           false,
           Doctor}};
}

}  // namespace forebay::cli
