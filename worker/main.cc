#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cstdio>
#include <thread>

#include "common/base/status.h"
#include "common/config/config.h"
#include "common/config/proto_texts.h"
#include "common/obs/log.h"
#include "common/os/signals.h"
#include "worker/app.h"

extern char** environ;

namespace forebay::worker {
namespace {

// Asked to end this often, a worker ends at once and leaves its runs to the next.
constexpr int kAskedToLeave = 3;
constexpr int kLeft = 130;

// As the command line's: 1 error, 2 usage, 3 refused, 4 not found, 5 wrong state.
int ExitCodeOf(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
      return 2;
    case absl::StatusCode::kUnauthenticated:
    case absl::StatusCode::kPermissionDenied:
      return 3;
    case absl::StatusCode::kNotFound:
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

// Passes signals on until the app has ended, which makes `ended` readable.
void HeedSignals(App& app, SignalWaiter& signals, const UniqueFd& ended) {
  int asked = 0;
  while (true) {
    pollfd watched[] = {{signals.fd(), POLLIN, 0}, {ended.get(), POLLIN, 0}};
    ::poll(watched, 2, -1);
    if (watched[1].revents != 0) return;
    if (!signals.Wait(absl::ZeroDuration()).has_value()) continue;
    if (++asked >= kAskedToLeave) _exit(kLeft);
    app.AskToEnd();
  }
}

int Serve(App& app, SignalWaiter& signals) {
  const UniqueFd ended(eventfd(0, EFD_CLOEXEC));
  absl::Status status;
  std::thread thread([&] {
    status = app.Run();
    (void)eventfd_write(ended.get(), 1);
  });
  HeedSignals(app, signals, ended);
  thread.join();
  return status.ok() || absl::IsCancelled(status) ? 0 : Fail(status);
}

int Main(int argc, char** argv) {
  ConfigSources sources = ConfigSourcesOf(argc, argv, environ);
  sources.program = "forebay-worker";
  sources.summary = "Serves one work pool: takes runs, launches them, watches and reports them.";
  sources.environment_prefix = "FOREBAY_WORKER_";
  sources.proto_text = WorkerConfigProtoText();
  config::v1::WorkerConfig config = DefaultConfig();
  const auto help = LoadConfig(sources, config);
  if (!help.ok()) return Fail(help.status());
  if (help->has_value()) {
    fmt::print("{}", **help);
    return 0;
  }
  if (absl::Status status = InitLog("forebay-worker", config.log_level()); !status.ok()) {
    return Fail(status);
  }
  IgnoreBrokenPipes();
  // Before any thread exists, so that all of them inherit the mask.
  SignalWaiter signals({SIGTERM, SIGINT});
  const auto app = App::Create(config);
  return app.ok() ? Serve(**app, signals) : Fail(app.status());
}

}  // namespace
}  // namespace forebay::worker

int main(int argc, char** argv) { return forebay::worker::Main(argc, argv); }
