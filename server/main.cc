#include <csignal>
#include <cstdio>

#include "absl/synchronization/mutex.h"
#include "common/base/exit_code.h"
#include "common/base/status.h"
#include "common/config/config.h"
#include "common/config/proto_texts.h"
#include "common/obs/log.h"
#include "common/os/files.h"
#include "common/os/signals.h"
#include "forebay/config/v1/server_config.pb.h"
#include "server/app.h"

extern char** environ;

namespace forebay::server {
namespace {

int Fail(const absl::Status& status) {
  PrintFailure(status);
  return ReasonOf(status) == "DATABASE_UNAVAILABLE" ? kExitUnreachable : ExitCodeOf(status);
}

absl::Status Serve(const config::v1::ServerConfig& config, SignalWaiter& signals) {
  ASSIGN_OR_RETURN(const auto app, App::Start(config));
  spdlog::info("forebay-server {} listens on {}, for HTTP at {}", FOREBAY_VERSION, app->address(),
               app->http_url().empty() ? "no address" : app->http_url());
  if (!config.ready_file().empty()) {
    RETURN_IF_ERROR(WriteFileAtomically(
        config.ready_file(), app->address() + "\n" + app->http_url() + "\n", {.mode = 0644}));
  }
  signals.Wait();
  spdlog::info("stopping");
  return absl::OkStatus();
}

int Main(int argc, char** argv) {
  // Abseil as packaged looks for a cycle at every lock, gRPC's among them.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  ConfigSources sources = ConfigSourcesOf(argc, argv, environ);
  sources.program = "forebay-server";
  sources.summary =
      "The control plane: owns pools, queues and runs in PostgreSQL and serves the API.";
  sources.environment_prefix = "FOREBAY_SERVER_";
  sources.proto_text = ServerConfigProtoText();
  config::v1::ServerConfig config;
  const auto help = LoadConfig(sources, config);
  if (!help.ok()) return Fail(help.status());
  if (help->has_value()) {
    fmt::print("{}", **help);
    return 0;
  }
  if (absl::Status status = CompleteConfig(config); !status.ok()) return Fail(status);
  if (absl::Status status = InitLog("forebay-server", config.log_level()); !status.ok())
    return Fail(status);
  // Before any thread exists, so that all of them inherit the mask.
  SignalWaiter signals{SIGINT, SIGTERM};
  const absl::Status served = Serve(config, signals);
  return served.ok() ? 0 : Fail(served);
}

}  // namespace
}  // namespace forebay::server

int main(int argc, char** argv) { return forebay::server::Main(argc, argv); }
