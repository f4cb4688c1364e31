#pragma once

// Whether the container engine, or the cluster, can be used; for `forebay doctor`.

#include <string>

#include "absl/status/statusor.h"
#include "forebay/config/v1/worker_config.pb.h"
#include "worker/launch/launcher.h"

namespace forebay::worker {

// Where the configuration says that the engine is.
EngineOptions EngineOptionsOf(const config::v1::WorkerConfig& config);

// Which cluster the configuration means, and where in it.
ClusterOptions ClusterOptionsOf(const config::v1::WorkerConfig& config);

// A line about the engine, or with type kubernetes some about the cluster. Errors as of
// EngineApi::Negotiate and CheckCluster.
absl::StatusOr<std::string> CheckEngine(const config::v1::WorkerConfig& config);

}  // namespace forebay::worker
