#include "worker/app.h"

#include <unistd.h>

#include <cstdio>
#include <thread>

#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "common/base/uuid.h"
#include "common/obs/log.h"
#include "common/os/files.h"
#include "common/rpc/channel.h"
#include "worker/launch/launcher.h"
#include "worker/render/renderer.h"
#include "worker/report/log_pump.h"
#include "worker/report/outbox.h"
#include "worker/session/credential.h"
#include "worker/session/grpc_server_api.h"
#include "worker/session/pool_type.h"
#include "worker/session/session.h"
#include "worker/session/state_dir.h"
#include "worker/supervise/supervisor.h"

namespace forebay::worker {
namespace {

constexpr int kDeskThreads = 4;
constexpr int kMostSlots = 10'000;
constexpr absl::Duration kKeyPause = absl::Seconds(1);

std::string HostName() {
  char name[256] = {};
  return gethostname(name, sizeof(name) - 1) == 0 ? name : "worker";
}

absl::Status Missing(std::string_view field, std::string_view next) {
  return Error(absl::StatusCode::kInvalidArgument, "MISSING_CONFIG_VALUE")
      .Field(field, "")
      .Next(next)
      .Says("{} is not set", field);
}

absl::Status CheckRange(std::string_view field, int64_t value, int64_t least, int64_t most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return Error(absl::StatusCode::kInvalidArgument, "OUT_OF_RANGE")
      .Field(field, std::to_string(value))
      .Says("{} is {}; it must be between {} and {}", field, value, least, most);
}

absl::Status Check(const config::v1::WorkerConfig& config) {
  constexpr int64_t kLeastRate = 1024;
  constexpr int64_t kMostRate = int64_t{1} << 40;
  if (config.pool().empty()) return Missing("pool", "forebay worker start --pool POOL");
  if (config.key_file().empty()) {
    return Missing("key_file", fmt::format("forebay worker start --pool {}", config.pool()));
  }
  RETURN_IF_ERROR(CheckRange("limit", config.limit(), 1, kMostSlots));
  RETURN_IF_ERROR(CheckRange("log_rate_bytes", config.log_rate_bytes(), kLeastRate, kMostRate));
  return CheckRange("log_burst_bytes", config.log_burst_bytes(), kLeastRate, kMostRate);
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> Connect(const config::v1::WorkerConfig& config) {
  ServerAddress address{config.server(), ""};
  if (!config.tls_ca_file().empty()) {
    ASSIGN_OR_RETURN(address.tls_ca_pem, ReadSmallFile(config.tls_ca_file()));
  }
  return OpenChannel(address);
}

absl::StatusOr<StateDir> OpenStateDir(const config::v1::WorkerConfig& config) {
  if (!config.state_dir().empty()) return StateDir::Open(config.state_dir(), config.server());
  return StateDir::OpenFirst(DefaultStateDir(config.pool()), config.server());
}

v1::RegisterWorkerRequest RegistrationOf(const config::v1::WorkerConfig& config, UuidSource& ids) {
  v1::RegisterWorkerRequest request;
  request.set_pool(config.pool());
  request.set_name(config.name());
  request.set_instance_id(ids.Next().ToString());
  request.set_type(config.type());
  *request.mutable_queues() = config.queues();
  request.set_slots(config.limit());
  request.set_version(FOREBAY_VERSION);
  return request;
}

}  // namespace

config::v1::WorkerConfig DefaultConfig() {
  config::v1::WorkerConfig config;
  config.set_server("127.0.0.1:7070");
  config.set_name(HostName().substr(0, 63));
  config.set_limit(static_cast<int>(std::max(1U, std::thread::hardware_concurrency())));
  config.set_log_level("info");
  config.set_log_rate_bytes(1 << 20);
  config.set_log_burst_bytes(4 << 20);
  return config;
}

struct App::Parts {
  explicit Parts(const config::v1::WorkerConfig& given) : config(given) {}

  const config::v1::WorkerConfig config;
  const Clock& clock = SystemClock();
  Random& random = SystemRandom();
  UuidSource ids{clock, random};
  Registration registration{clock};

  absl::StatusOr<std::unique_ptr<ServerApi>> ConnectWithKey();
  absl::Status Serve(ServerApi& api, const StateDir& state, const std::string& type);
  absl::Status Announce(const StateDir& state, const std::string& type,
                        const std::string& worker_id) const;
};

absl::StatusOr<std::unique_ptr<ServerApi>> App::Parts::ConnectWithKey() {
  ASSIGN_OR_RETURN(auto channel, Connect(config));
  auto key = ObtainKey(config.key_file(), "worker " + config.name(), channel);
  while (absl::IsUnavailable(key.status()) && registration.ending() == Ending::kNone) {
    spdlog::warn("{}; trying again", MessageOf(key.status()));
    registration.Sleep(kKeyPause);
    key = ObtainKey(config.key_file(), "worker " + config.name(), channel);
  }
  RETURN_IF_ERROR(key.status());
  return MakeGrpcServerApi(std::move(channel), *std::move(key));
}

absl::Status App::Parts::Announce(const StateDir& state, const std::string& type,
                                  const std::string& worker_id) const {
  RETURN_IF_ERROR(state.Remember(worker_id));
  fmt::print("Worker '{} {}' started!\n", WorkerClassName(type), worker_id);
  std::fflush(stdout);
  spdlog::info("serves pool {} of {} with {} slots; state in {}", config.pool(), config.server(),
               config.limit(), state.path());
  if (config.ready_file().empty()) return absl::OkStatus();
  return WriteFileAtomically(config.ready_file(), worker_id + "\n", {.mode = 0644});
}

absl::Status App::Parts::Serve(ServerApi& api, const StateDir& state, const std::string& type) {
  // Set when all parts exist; until then nothing is supervised that could change.
  std::atomic<Supervisor*> listening = nullptr;
  const auto changed = [&listening](const std::string& name) {
    if (Supervisor* supervisor = listening.load()) supervisor->Changed(name);
  };
  ASSIGN_OR_RETURN(const auto launcher, MakeLauncher(type, {state.path(), config.log_rate_bytes(),
                                                            config.log_burst_bytes(), changed}));
  Renderer renderer(config.name());
  Lease lease(clock);
  std::atomic<PollLoop*> polling = nullptr;
  const auto settled = [&] {
    if (PollLoop* poll_loop = polling.load()) poll_loop->SlotsChanged();
    if (registration.ending() != Ending::kNone) registration.Poke();
  };
  LaunchDesk desk(kDeskThreads);
  Supervisor supervisor({*launcher, renderer, lease, desk}, settled);
  Outbox outbox(api, registration, clock, random, [&](const auto& report, const auto& result) {
    supervisor.Answered(report, result);
  });
  LogPump log_pump(
      *launcher, api, registration, random,
      {[&](const auto& ref, int64_t next, bool all) { supervisor.LogArrived(ref, next, all); },
       [&](const auto& ref, auto verdict) { supervisor.LogRefused(ref, verdict); }});
  supervisor.Connect(outbox, log_pump);
  listening = &supervisor;

  SessionOptions options;
  options.registration = RegistrationOf(config, ids);
  options.registration.set_type(type);
  options.server_address = config.server();
  options.predecessor = state.predecessor();
  options.registered = [&](const std::string& id) { return Announce(state, type, id); };
  Session session(
      {api, registration, *launcher, renderer, lease, supervisor, outbox, clock, random, ids},
      std::move(options));
  PollLoop poll_loop(api, registration, ids, random,
                     {[&] { return session.FreeSlots(); }, [&] { return renderer.pool_revision(); },
                      [&](const auto& response) { session.Answered(response); }});
  polling = &poll_loop;
  const absl::Status status = session.Run(poll_loop);
  polling = nullptr;
  listening = nullptr;
  return status;
}

absl::StatusOr<std::unique_ptr<App>> App::Create(const config::v1::WorkerConfig& config) {
  RETURN_IF_ERROR(Check(config));
  RETURN_IF_ERROR(ReadKey(config.key_file()).status());
  return std::unique_ptr<App>(new App(std::make_unique<Parts>(config)));
}

App::App(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
App::~App() = default;

absl::Status App::Run() {
  ASSIGN_OR_RETURN(const StateDir state, OpenStateDir(parts_->config));
  ASSIGN_OR_RETURN(const auto api, parts_->ConnectWithKey());
  std::string type = parts_->config.type();
  if (type.empty()) {
    ASSIGN_OR_RETURN(type, AskPoolType(*api, RegistrationOf(parts_->config, parts_->ids),
                                       parts_->registration, parts_->random));
  }
  return parts_->Serve(*api, state, type);
}

void App::AskToEnd() {
  const bool first = parts_->registration.ending() == Ending::kNone;
  spdlog::info("{}", first ? "draining: nothing new is taken, what is held goes on to its end"
                           : "the runs are asked to end");
  parts_->registration.Ask(first ? Ending::kDrain : Ending::kStopRuns);
}

}  // namespace forebay::worker
