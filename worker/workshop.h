#pragma once

// Everything that lives as long as the registration, put together. The parts know each other
// through references downwards and late calls upwards.

#include <memory>
#include <string>

#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/uuid.h"
#include "forebay/config/v1/worker_config.pb.h"
#include "worker/late_call.h"
#include "worker/launch/launcher.h"
#include "worker/render/renderer.h"
#include "worker/session/lease.h"
#include "worker/session/session.h"
#include "worker/supervise/launch_desk.h"

namespace forebay::worker {

class Workshop {
 public:
  Workshop(ServerApi& api, Registration& registration, const config::v1::WorkerConfig& config);
  ~Workshop();
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;

  // Once, before Run. `type` is the pool's; INVALID_ARGUMENT (UNKNOWN_POOL_TYPE).
  absl::Status OpenLauncher(const std::string& type, const config::v1::WorkerConfig& config,
                            const std::string& state_dir);
  // Serves until the registration has ended (session.h).
  absl::Status Run(SessionOptions options);

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
  std::unique_ptr<LaunchDesk> desk_;
};

}  // namespace forebay::worker
