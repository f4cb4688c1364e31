#pragma once

// One worker process, from a checked configuration to its end.

#include "absl/status/status.h"
#include "common/os/signals.h"
#include "forebay/config/v1/worker_config.pb.h"

namespace forebay::worker {

// Serves the pool until it is asked to end and all is done, which is OK. Called once, from main,
// which blocks SIGTERM and SIGINT into `signals` before any thread is made. Errors are for a person
// to act on; runs that live then go on, and a worker started later on the same state directory
// takes them over. CANCELLED when it was made to end before its runs were over.
absl::Status Serve(const config::v1::WorkerConfig& config, SignalWaiter& signals);

}  // namespace forebay::worker
