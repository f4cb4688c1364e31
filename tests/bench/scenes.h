#pragma once

// What the load generator plays besides RunLoad; `--scene` names it. Each blocks until it is over
// and returns the object that is printed.

#include <nlohmann/json_fwd.hpp>

#include "tests/bench/options.h"

namespace forebay::bench {

// Submits runs that no worker takes.
nlohmann::json RunAccept(const Options& options);

// Workers that wait for runs which never come. Prints a line once all are parked, and holds them
// until standard input ends.
nlohmann::json RunParked(const Options& options);

// RunLoad with workers and submissions split over two servers of one database.
nlohmann::json RunReplicas(const Options& options);

}  // namespace forebay::bench
