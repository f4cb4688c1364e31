#pragma once

// Whether the container engine can be used; for `forebay doctor`.

#include <string>

#include "absl/status/statusor.h"
#include "forebay/config/v1/worker_config.pb.h"
#include "worker/launch/launcher.h"

namespace forebay::worker {

// Where the configuration says that the engine is.
EngineOptions EngineOptionsOf(const config::v1::WorkerConfig& config);

// One line about the engine. Errors as of EngineApi::Negotiate.
absl::StatusOr<std::string> CheckEngine(const config::v1::WorkerConfig& config);

}  // namespace forebay::worker
