#pragma once

// What operators watch of each pool, read from the database when it is asked for.

#include <vector>

#include "absl/status/statusor.h"
#include "prometheus/metric_family.h"
#include "server/db/session.h"

namespace forebay::server {

// Of at most 1 000 pools, by name: forebay_pool_queued_runs (counted up to 100 000),
// forebay_pool_held_attempts, forebay_pool_online_workers, forebay_pool_ready,
// forebay_pool_paused. Blocking.
absl::StatusOr<std::vector<prometheus::MetricFamily>> ReadPoolGauges(Session& session);

}  // namespace forebay::server
