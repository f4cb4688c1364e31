#include <csignal>
#include <cstdio>

#include "common/base/status.h"
#include "common/config/config.h"
#include "common/config/proto_texts.h"
#include "common/obs/log.h"
#include "worker/app.h"
#include "worker/settings.h"

extern char** environ;

namespace forebay::worker {
namespace {

// As the command line's: 1 error, 2 usage, 3 not found, 4 not allowed, 5 conflict or wrong state.
int ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      return 2;
    case absl::StatusCode::kNotFound:
      return 3;
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
      return 4;
    case absl::StatusCode::kAlreadyExists:
    case absl::StatusCode::kFailedPrecondition:
      return 5;
    default:
      return 1;
  }
}

int Fail(const absl::Status& status) {
  fmt::print(stderr, "error: {}\n", MessageOf(status));
  const auto detail = DetailOf(status);
  if (detail.has_value() && detail->metadata.contains("next")) {
    fmt::print(stderr, "next: {}\n", detail->metadata.at("next"));
  }
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
