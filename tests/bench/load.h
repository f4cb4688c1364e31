#pragma once

// One cell of the benchmark: workers, a submitter, and the time until the last run has ended.

#include <nlohmann/json_fwd.hpp>

#include "tests/bench/options.h"

namespace forebay::bench {

// Blocks until every accepted run has ended, or nothing has moved for half a minute. The object
// that is printed.
nlohmann::json RunLoad(const Options& options);

}  // namespace forebay::bench
