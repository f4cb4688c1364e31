#include "worker/app.h"

#include <cstdio>
#include <memory>

#include "common/base/status.h"
#include "common/obs/log.h"
#include "common/os/files.h"
#include "common/rpc/endpoints.h"
#include "common/rpc/server_list.h"
#include "worker/session/credential.h"
#include "worker/session/first_contact.h"
#include "worker/session/grpc_server_api.h"
#include "worker/session/session.h"
#include "worker/session/state_dir.h"
#include "worker/signal_watch.h"
#include "worker/workshop.h"

namespace forebay::worker {
namespace {

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

// Workers begin at any of the servers, so that they are spread over them.
absl::StatusOr<std::unique_ptr<Endpoints>> EndpointsOf(const config::v1::WorkerConfig& config,
                                                       Random& random) {
  ASSIGN_OR_RETURN(std::vector<std::string> servers, ParseServerList(config.server()));
  std::string ca;
  if (!config.tls_ca_file().empty()) {
    ASSIGN_OR_RETURN(ca, ReadSmallFile(config.tls_ca_file()));
  }
  const size_t first = random.Below(servers.size());
  return std::make_unique<Endpoints>(std::move(servers), std::move(ca), first);
}

absl::Status ServeFrom(const config::v1::WorkerConfig& config, const StateDir& state_dir,
                       Registration& registration) {
  ASSIGN_OR_RETURN(const auto endpoints, EndpointsOf(config, SystemRandom()));
  const auto until_answered = [&](const std::function<absl::Status()>& call) {
    return UntilAnswered(registration, SystemRandom(), config.server(), call);
  };
  std::string key;
  RETURN_IF_ERROR(until_answered([&]() -> absl::Status {
    ASSIGN_OR_RETURN(key, ObtainKey(config.key_file(), "worker " + config.name(), *endpoints));
    return absl::OkStatus();
  }));
  const auto api = MakeGrpcServerApi(*endpoints, key);
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
