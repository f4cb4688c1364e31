#include "worker/app.h"

#include <cstdio>
#include <memory>

#include "common/base/status.h"
#include "common/obs/log.h"
#include "common/os/files.h"
#include "common/rpc/channel.h"
#include "worker/late_call.h"
#include "worker/session/credential.h"
#include "worker/session/first_contact.h"
#include "worker/session/grpc_server_api.h"
#include "worker/session/session.h"
#include "worker/session/state_dir.h"
#include "worker/signal_watch.h"

namespace forebay::worker {
namespace {

// Launches that wait for the kernel or a disk side by side.
constexpr int kLaunchThreads = 4;

v1::RegisterWorkerRequest RegistrationOf(const config::v1::WorkerConfig& config) {
  v1::RegisterWorkerRequest request;
  request.set_pool(config.pool());
  request.set_name(config.name());
  request.set_type(config.type());
  request.mutable_queues()->CopyFrom(config.queues());
  request.set_slots(config.limit());
  request.set_version(FOREBAY_VERSION);
  return request;
}

// Everything that lives as long as the registration. The parts know each other through references
// downwards and late calls upwards.
class Workshop {
 public:
  Workshop(ServerApi& api, Registration& registration, const config::v1::WorkerConfig& config)
      : api_(api),
        registration_(registration),
        renderer_(config.name(), config.server()),
        desk_(kLaunchThreads) {}
  ~Workshop() {
    changed_.Disconnect();
    settled_.Disconnect();
    // Its jobs use everything else.
    desk_.End();
  }
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;

  absl::Status OpenLauncher(const std::string& type, const config::v1::WorkerConfig& config,
                            const std::string& state_dir) {
    LauncherOptions options;
    options.state_dir = state_dir;
    options.log_rate_bytes = config.log_rate_bytes();
    options.log_burst_bytes = config.log_burst_bytes();
    options.changed = [this](const std::string& name) { changed_(name); };
    ASSIGN_OR_RETURN(launcher_, MakeLauncher(type, std::move(options)));
    return absl::OkStatus();
  }

  absl::Status Run(SessionOptions options) {
    Supervisor supervisor({*launcher_, renderer_, lease_, desk_}, [this] { settled_(); });
    Outbox outbox(
        api_, registration_, clock_, random_,
        [&](const auto& report, const auto& result) { supervisor.Answered(report, result); });
    LogPump log_pump(*launcher_, api_, registration_, random_,
                     {[&](const auto& attempt, int64_t next, bool exhausted) {
                        supervisor.LogArrived(attempt, next, exhausted);
                      },
                      [&](const auto& attempt, v1::ReportVerdict verdict) {
                        supervisor.LogRefused(attempt, verdict);
                      }});
    supervisor.Connect(outbox, log_pump);
    changed_.Connect([&](const std::string& name) { supervisor.Changed(name); });
    Session session({api_, registration_, *launcher_, renderer_, lease_, supervisor, outbox, clock_,
                     random_, ids_},
                    std::move(options));
    PollLoop poll_loop(
        api_, registration_, ids_, random_,
        {[&] { return session.FreeSlots(); }, [&] { return renderer_.pool_revision(); },
         [&](const v1::PollResponse& response) { session.Answered(response); }});
    settled_.Connect([&] {
      poll_loop.SlotsChanged();
      registration_.Poke();
    });
    absl::Status status = session.Run(poll_loop);
    changed_.Disconnect();
    settled_.Disconnect();
    registration_.End(status);
    // Each of them may call the others until its thread has ended.
    poll_loop.Shut();
    desk_.End();
    outbox.Shut();
    log_pump.Shut();
    return status;
  }

 private:
  ServerApi& api_;
  Registration& registration_;
  const Clock& clock_ = SystemClock();
  Random& random_ = SystemRandom();
  UuidSource ids_{clock_, random_};
  Lease lease_{clock_};
  Renderer renderer_;
  LateCall<const std::string&> changed_;
  LateCall<> settled_;
  std::unique_ptr<Launcher> launcher_;
  LaunchDesk desk_;
};

// What the operator sees and scripts wait for; later registrations are only logged.
absl::Status Announce(const config::v1::WorkerConfig& config, const std::string& type,
                      const StateDir& state_dir, const std::string& worker_id, bool first) {
  RETURN_IF_ERROR(state_dir.Remember(worker_id));
  if (first) {
    fmt::print("Worker '{} {}' started!\n", WorkerClassName(type), worker_id);
    std::fflush(stdout);
  }
  spdlog::info("registered as {} at {}: pool {}, at most {} runs", worker_id, config.server(),
               config.pool(), config.limit());
  if (config.ready_file().empty()) return absl::OkStatus();
  return WriteFileAtomically(config.ready_file(), worker_id + "\n", {.mode = 0644});
}

absl::StatusOr<StateDir> OpenStateDir(const config::v1::WorkerConfig& config) {
  if (!config.state_dir().empty()) return StateDir::Open(config.state_dir(), config.server());
  return StateDir::OpenFirst(DefaultStateDir(config.pool()), config.server());
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> Connect(const config::v1::WorkerConfig& config) {
  ServerAddress address{config.server(), ""};
  if (!config.tls_ca_file().empty()) {
    ASSIGN_OR_RETURN(address.tls_ca_pem, ReadSmallFile(config.tls_ca_file()));
  }
  return OpenChannel(address);
}

absl::Status ServeFrom(const config::v1::WorkerConfig& config, const StateDir& state_dir,
                       Registration& registration) {
  ASSIGN_OR_RETURN(const auto channel, Connect(config));
  const auto until_answered = [&](const std::function<absl::Status()>& call) {
    return UntilAnswered(registration, SystemRandom(), config.server(), call);
  };
  std::string key;
  RETURN_IF_ERROR(until_answered([&]() -> absl::Status {
    ASSIGN_OR_RETURN(key, ObtainKey(config.key_file(), "worker " + config.name(), channel));
    return absl::OkStatus();
  }));
  const auto api = MakeGrpcServerApi(channel, key);
  SessionOptions options;
  options.registration = RegistrationOf(config);
  if (config.type().empty()) {
    UuidSource ids(SystemClock(), SystemRandom());
    RETURN_IF_ERROR(until_answered([&]() -> absl::Status {
      ASSIGN_OR_RETURN(const std::string type, PoolType(*api, ids, options.registration));
      options.registration.set_type(type);
      return absl::OkStatus();
    }));
  }
  const std::string type = options.registration.type();
  options.server_address = config.server();
  options.predecessor = state_dir.predecessor();
  options.registered = [&, first = true](const std::string& worker_id) mutable {
    return Announce(config, type, state_dir, worker_id, std::exchange(first, false));
  };
  Workshop workshop(*api, registration, config);
  RETURN_IF_ERROR(workshop.OpenLauncher(type, config, state_dir.path()));
  return workshop.Run(std::move(options));
}

}  // namespace

absl::Status Serve(const config::v1::WorkerConfig& config, SignalWaiter& signals) {
  RETURN_IF_ERROR(ReadKey(config.key_file()).status());
  ASSIGN_OR_RETURN(const StateDir state_dir, OpenStateDir(config));
  Registration registration(SystemClock());
  const SignalWatch watch(signals, registration);
  const absl::Status status = ServeFrom(config, state_dir, registration);
  // Asked to end before there was anything to end.
  const bool early = absl::IsCancelled(status) && !registration.ended();
  return early ? absl::OkStatus() : status;
}

}  // namespace forebay::worker
