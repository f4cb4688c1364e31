#include <cstdlib>
#include <nlohmann/json.hpp>
#include <ostream>

#include "cli/answer.h"
#include "cli/commands/commands.h"
#include "cli/names.h"
#include "cli/output/proto_json.h"
#include "cli/pages.h"
#include "cli/private_file.h"
#include "cli/process.h"
#include "cli/values.h"
#include "cli/worker_key.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/job_template/job_template.h"
#include "forebay/v1/fleet.pb.h"
#include "forebay/v1/token.pb.h"
#include "forebay/v1/work_pool.pb.h"

namespace forebay::cli {
namespace {

namespace fs = std::filesystem;

constexpr char kJoinTokenVariable[] = "FOREBAY_JOIN_TOKEN";

// Fails before anything is made when the pool does not exist or is of another type than the worker
// shall be.
absl::Status CheckPool(Session& session, const std::string& pool, const std::string& type) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  v1::GetWorkPoolRequest request;
  request.set_name(PoolResource(pool));
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::GetWorkPoolResponse>(request));
  const std::string& actual = response.work_pool().type();
  if (type.empty() || type == actual) return absl::OkStatus();
  return Error(absl::StatusCode::kFailedPrecondition, "POOL_TYPE_MISMATCH")
      .Field("type", type)
      .Next(fmt::format("forebay worker start --pool {}", pool))
      .Says("work pool `{}` is of type {}; a worker of type {} cannot serve it", pool, actual,
            type);
}

// A join token is handed over in the key file, which the worker replaces by the key it gets for it.
absl::StatusOr<fs::path> KeyFromJoinToken(Session& session, const Arguments& arguments,
                                          const std::string& pool) {
  std::string token;
  if (arguments.Has("join-token-file")) {
    ASSIGN_OR_RETURN(token, ReadKeyFile(arguments.Get("join-token-file")));
  } else {
    token = std::getenv(kJoinTokenVariable);
    unsetenv(kJoinTokenVariable);
  }
  ASSIGN_OR_RETURN(const Profile profile, session.profile());
  const fs::path path = WorkerKeyPath(session, profile.server, pool);
  RETURN_IF_ERROR(WritePrivateFile(path, token + "\n"));
  return path;
}

bool HasJoinToken(const Arguments& arguments) {
  return arguments.Has("join-token-file") || std::getenv(kJoinTokenVariable) != nullptr;
}

absl::StatusOr<fs::path> KeyFile(Session& session, const Arguments& arguments,
                                 const std::string& pool) {
  if (arguments.Has("key-file")) return fs::absolute(arguments.Get("key-file"));
  if (HasJoinToken(arguments)) return KeyFromJoinToken(session, arguments, pool);
  ASSIGN_OR_RETURN(const Profile profile, session.profile());
  const bool kept = fs::exists(WorkerKeyPath(session, profile.server, pool));
  // Without a key of one's own, a kept worker key is all there is to go by; the worker itself will
  // say what is wrong.
  if (profile.api_key.empty() && kept) return WorkerKeyPath(session, profile.server, pool);
  RETURN_IF_ERROR(CheckPool(session, pool, arguments.Get("type")));
  auto path = EnsureWorkerKey(session, pool, arguments.Has("new-key"));
  if (path.ok() || path.status().code() != absl::StatusCode::kPermissionDenied) return path;
  return Error(absl::StatusCode::kPermissionDenied, "WORKER_KEY_DENIED")
      .Next(fmt::format("forebay worker start --pool {} --join-token-file FILE", pool))
      .Says("{}; ask an operator for a join token (forebay worker token --pool {})",
            MessageOf(path.status()), pool);
}

absl::Status Start(Session& session, const Arguments& arguments) {
  const std::string pool = LastSegment(arguments.Get("pool"));
  ASSIGN_OR_RETURN(const Profile profile, session.profile());
  ASSIGN_OR_RETURN(const std::string program, FindProgram("forebay-worker"));
  ASSIGN_OR_RETURN(const fs::path key_file, KeyFile(session, arguments, pool));
  std::vector<std::string> words = {"--server=" + profile.server, "--pool=" + pool,
                                    "--key-file=" + key_file.string()};
  for (const char* option :
       {"name", "limit", "type", "state-dir", "log-level", "docker-host",
        "registry-credentials-file", "policy-floor-file", "kubeconfig", "kubernetes-context"}) {
    if (arguments.Has(option))
      words.push_back(fmt::format("--{}={}", option, arguments.Get(option)));
  }
  for (const std::string& queue : arguments.All("queue")) words.push_back("--queues=" + queue);
  for (const std::string& name : arguments.All("kubernetes-namespace")) {
    words.push_back("--kubernetes-namespaces=" + name);
  }
  if (!profile.tls_ca_file.empty()) words.push_back("--tls-ca-file=" + profile.tls_ca_file);
  return Exec(program, words);
}

std::string StatusText(const v1::Worker& worker) {
  const auto* value = v1::WorkerStatus_descriptor()->FindValueByNumber(worker.status());
  return value == nullptr ? "" : ShortEnumName(*value);
}

std::string QueuesText(const v1::Worker& worker) {
  if (worker.queues().empty()) return "all";
  return Join(std::vector<std::string>(worker.queues().begin(), worker.queues().end()), ", ");
}

Card CardOf(Session& session, const v1::Worker& worker) {
  const std::string id = LastSegment(worker.name());
  return {id,
          {{"ID", id},
           {"Name", worker.display_name()},
           {"Status", StatusText(worker)},
           {"Work pool", LastSegment(worker.work_pool())},
           {"Type", worker.type()},
           {"Queues", QueuesText(worker)},
           {"Slots", std::to_string(worker.slots())},
           {"Held attempts", std::to_string(worker.held_attempts())},
           {"Version", worker.version()},
           {"Registered", When(session, worker.register_time())},
           {"Last seen", When(session, worker.last_seen_time())},
           {"Not ready", worker.not_ready_reason()},
           {"Creator", worker.creator()}},
          ToJson(worker)};
}

absl::Status List(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  v1::ListWorkersRequest request;
  if (arguments.Has("pool")) request.set_work_pool(PoolResource(arguments.Get("pool")));
  request.set_include_offline(arguments.Has("all"));
  Listing listing;
  listing.columns = {{"ID"},
                     {"NAME"},
                     {"POOL"},
                     {"TYPE"},
                     {"STATUS", false, false, true},
                     {"HELD", false, true},
                     {"SLOTS", false, true},
                     {"LAST SEEN"},
                     {"QUEUES", true},
                     {"VERSION", true},
                     {"REGISTERED", true},
                     {"NOT READY"}};
  RETURN_IF_ERROR(ForEachItem<v1::ListWorkersResponse>(
      *client, request, kAllItems, [](const auto& page) { return page.workers(); },
      [&](const v1::Worker& worker) {
        const std::string id = LastSegment(worker.name());
        listing.rows.push_back(
            {id,
             {id, worker.display_name(), LastSegment(worker.work_pool()), worker.type(),
              StatusText(worker), std::to_string(worker.held_attempts()),
              std::to_string(worker.slots()), When(session, worker.last_seen_time()),
              QueuesText(worker), worker.version(), When(session, worker.register_time()),
              worker.not_ready_reason()},
             ToJson(worker)});
      }));
  return AnswerList(session, listing,
                    "No workers are online. Start one: forebay worker start --pool POOL");
}

absl::Status Inspect(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  v1::GetWorkerRequest request;
  request.set_name(WorkerResource(arguments.Get("worker")));
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::GetWorkerResponse>(request));
  return AnswerCard(session, CardOf(session, response.worker()));
}

absl::Status Drain(Session& session, const Arguments& arguments) {
  ASSIGN_OR_RETURN(Client * client, session.client());
  v1::DrainFleetWorkerRequest request;
  request.set_name(WorkerResource(arguments.Get("worker")));
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::DrainFleetWorkerResponse>(request));
  const v1::Worker& worker = response.worker();
  return AnswerChange(
      session,
      fmt::format("Worker `{}` takes nothing new and ends when its {} runs are over.",
                  worker.display_name(), worker.held_attempts()),
      CardOf(session, worker));
}

absl::Status JoinToken(Session& session, const Arguments& arguments) {
  const std::string pool = LastSegment(arguments.Get("pool"));
  v1::CreateJoinTokenRequest request;
  request.set_work_pool(PoolResource(pool));
  if (arguments.Has("ttl")) {
    ASSIGN_OR_RETURN(const auto ttl, ParseDurationOption(arguments.Get("ttl"), "--ttl"));
    request.mutable_ttl()->set_seconds(absl::ToInt64Seconds(ttl));
  }
  ASSIGN_OR_RETURN(Client * client, session.client());
  ASSIGN_OR_RETURN(const auto response, client->Call<v1::CreateJoinTokenResponse>(request));
  session.Say(fmt::format(
      "Join token for pool `{}`: works once, expires {}. On the other host put it into a file and\n"
      "  forebay worker start --pool {} --server {} --join-token-file FILE",
      pool, When(session, response.token().expire_time()), pool, client->server()));
  if (session.output().format == OutputFormat::kJson ||
      session.output().format == OutputFormat::kYaml) {
    return AnswerCard(session, {"", {}, ToJson(response)});
  }
  session.out() << response.secret() << std::endl;
  return absl::OkStatus();
}

}  // namespace

std::vector<Command> WorkerCommands() {
  const Option pool = {"-p,--pool", "POOL", "The work pool",  true, false,
                       false,       {},     Completes::kPools};
  Option any_pool = pool;
  any_pool.required = false;
  const std::vector<Option> start = {
      pool,
      {"-n,--name", "NAME", "Name shown to people (the host's)"},
      {"-l,--limit", "N", "Most runs at once (number of cores)", false, false, true},
      {"-q,--queue", "QUEUE", "Serve only this queue", false, true},
      {"-t,--type", "TYPE", "Fail unless the pool is of this type"},
      {"--state-dir", "DIR", "Where runs' state is kept across restarts"},
      {"--docker-host", "URL", "Container engine (unix:///var/run/docker.sock)"},
      {"--registry-credentials-file",
       "FILE",
       "Registry credentials that jobs may name",
       false,
       false,
       false,
       {},
       Completes::kFiles},
      {"--kubeconfig",
       "FILE",
       "Cluster of a kubernetes pool (the one that the worker runs in, else kubectl's)",
       false,
       false,
       false,
       {},
       Completes::kFiles},
      {"--kubernetes-context", "NAME", "Context of the kubeconfig (its current one)"},
      {"--kubernetes-namespace", "NAME", "Look for runs in this namespace (the context's own)",
       false, true},
      {"--policy-floor-file",
       "FILE",
       "What is launched here at most, whatever the server says",
       false,
       false,
       false,
       {},
       Completes::kFiles},
      {"--log-level",
       "LEVEL",
       "How much to say",
       false,
       false,
       false,
       {"error", "warn", "info", "debug"}},
      {"--key-file",
       "FILE",
       "Use the worker key in this file",
       false,
       false,
       false,
       {},
       Completes::kFiles},
      {"--join-token-file",
       "FILE",
       "Use the join token in this file (or in FOREBAY_JOIN_TOKEN)",
       false,
       false,
       false,
       {},
       Completes::kFiles},
      {"--new-key", "", "Get a new worker key even if one is kept"},
  };
  const Positional worker = {"WORKER", "Id of the worker", true, {}, Completes::kWorkers};
  return {
      {"worker start", "Run a worker here until it is stopped", {}, start, false, false, Start},
      {"worker ls",
       "List workers",
       {},
       {any_pool, {"--all", "", "Offline ones too"}},
       false,
       false,
       List},
      {"worker inspect", "Show one worker", {worker}, {}, false, false, Inspect},
      {"worker drain", "Let a worker finish its runs and end", {worker}, {}, false, false, Drain},
      {"worker token",
       "Make a single-use token for a worker on another host",
       {},
       {pool, {"--ttl", "DURATION", "Expires after this (1h)"}},
       false,
       false,
       JoinToken},
  };
}

}  // namespace forebay::cli
