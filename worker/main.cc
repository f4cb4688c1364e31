#include <csignal>
#include <cstdio>

#include "common/base/exit_code.h"
#include "common/base/status.h"
#include "common/config/config.h"
#include "common/config/proto_texts.h"
#include "common/obs/log.h"
#include "worker/app.h"
#include "worker/engine_check.h"
#include "worker/settings.h"

extern char** environ;

namespace forebay::worker {
namespace {

int Fail(const absl::Status& status) {
  PrintFailure(status);
  return ExitCodeOf(status);
}

int Main(int argc, char** argv) {
  ConfigSources sources = ConfigSourcesOf(argc, argv, environ);
  sources.program = "forebay-worker";
  sources.summary = "Takes runs from one work pool, launches them here and watches over them.";
  sources.environment_prefix = "FOREBAY_WORKER_";
  sources.proto_text = WorkerConfigProtoText();
  config::v1::WorkerConfig config = DefaultConfig();
  const auto help = LoadConfig(sources, config);
  if (!help.ok()) return Fail(help.status());
  if (help->has_value()) {
    fmt::print("{}", **help);
    return 0;
  }
  if (config.check_engine()) {
    const auto checked = CheckEngine(config);
    if (!checked.ok()) return Fail(checked.status());
    fmt::print("{}\n", *checked);
    return 0;
  }
  if (absl::Status status = CheckConfig(config); !status.ok()) return Fail(status);
  if (absl::Status status = InitLog("forebay-worker", config.log_level()); !status.ok()) {
    return Fail(status);
  }
  IgnoreBrokenPipes();
  // Before any thread exists, so that all of them inherit the mask.
  SignalWaiter signals{SIGINT, SIGTERM};
  const absl::Status served = Serve(config, signals);
  return served.ok() ? 0 : Fail(served);
}

}  // namespace
}  // namespace forebay::worker

int main(int argc, char** argv) { return forebay::worker::Main(argc, argv); }
