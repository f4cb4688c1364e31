#include "worker/workshop.h"

#include <utility>

#include "common/base/status.h"
#include "common/os/files.h"
#include "worker/engine_check.h"
#include "worker/policy_floor.h"
#include "worker/report/log_pump.h"
#include "worker/report/outbox.h"
#include "worker/session/poll_loop.h"
#include "worker/supervise/supervisor.h"

namespace forebay::worker {
namespace {

// It goes to runs in one variable of their environment, of which the kernel takes 128 KiB.
constexpr size_t kMostAuthorityBytes = 64 << 10;

absl::Status AuthorityTooLarge(const std::string& file, size_t size) {
  return Error(absl::StatusCode::kInvalidArgument, "TOO_LARGE")
      .Field("tls_ca_file", file)
      .Says(
          "tls_ca_file {} has {} bytes; at most {} are taken: name the authority of the server "
          "alone, not all that the system trusts",
          file, size, kMostAuthorityBytes);
}

}  // namespace

Workshop::Workshop(ServerApi& api, Registration& registration,
                   const config::v1::WorkerConfig& config)
    : api_(api),
      registration_(registration),
      renderer_(config.name(), config.server(), config.api_url()) {}

Workshop::~Workshop() {
  changed_.Disconnect();
  settled_.Disconnect();
  // Its jobs use everything else.
  if (desk_ != nullptr) desk_->End();
}

absl::Status Workshop::OpenLauncher(const std::string& type, const config::v1::WorkerConfig& config,
                                    const std::string& state_dir) {
  LauncherOptions options;
  options.state_dir = state_dir;
  options.log_rate_bytes = config.log_rate_bytes();
  options.log_burst_bytes = config.log_burst_bytes();
  options.changed = [this](const std::string& name) { changed_(name); };
  options.readiness_changed = [this] { settled_(); };
  options.engine = EngineOptionsOf(config);
  options.cluster = ClusterOptionsOf(config);
  ASSIGN_OR_RETURN(auto floor, ReadPolicyFloor(type, config.policy_floor_file()));
  if (floor.has_value()) renderer_.SetFloor(*std::move(floor));
  if (!config.tls_ca_file().empty()) {
    // Runs elsewhere do not see the file.
    ASSIGN_OR_RETURN(std::string authority, ReadSmallFile(config.tls_ca_file()));
    if (authority.size() > kMostAuthorityBytes)
      return AuthorityTooLarge(config.tls_ca_file(), authority.size());
    renderer_.SetAuthority(std::move(authority));
  }
  ASSIGN_OR_RETURN(launcher_, MakeLauncher(type, std::move(options)));
  desk_ = std::make_unique<LaunchDesk>(launcher_->concurrency());
  return absl::OkStatus();
}

absl::Status Workshop::Run(SessionOptions options) {
  Supervisor supervisor({*launcher_, renderer_, lease_, *desk_}, [this] { settled_(); });
  Outbox outbox(api_, registration_, clock_, random_, [&](const auto& report, const auto& result) {
    supervisor.Answered(report, result);
  });
  LogPump log_pump(*launcher_, api_, registration_, random_,
                   {[&](const auto& attempt, int64_t next, bool exhausted) {
                      supervisor.LogArrived(attempt, next, exhausted);
                    },
                    [&](const auto& attempt, const v1::AppendResult& result) {
                      supervisor.LogRefused(attempt, result);
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
  desk_->End();
  outbox.Shut();
  log_pump.Shut();
  return status;
}

}  // namespace forebay::worker
