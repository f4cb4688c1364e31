#pragma once

// The configuration of a worker, checked and complete.

#include "absl/status/status.h"
#include "forebay/config/v1/worker_config.pb.h"

namespace forebay::worker {

// What holds when nothing is said; fill it before the sources are read.
config::v1::WorkerConfig DefaultConfig();
// INVALID_ARGUMENT: MISSING_SETTING, OUT_OF_RANGE. Fills in what depends on other settings: the
// name.
absl::Status CheckConfig(config::v1::WorkerConfig& config);

}  // namespace forebay::worker
