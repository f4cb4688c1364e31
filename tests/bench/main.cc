// forebay-bench: simulated workers and a submitter against a running server. Prints one JSON
// object; scripts/bench calls it, checks the database afterwards and makes the table.

#include <iostream>
#include <nlohmann/json.hpp>

#include "absl/synchronization/mutex.h"
#include "tests/bench/load.h"
#include "tests/bench/options.h"

int main(int argc, char** argv) {
  // As forebay-server: Abseil as packaged looks for a cycle at every lock.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  const forebay::bench::Options options(argc, argv);
  std::cout << forebay::bench::RunLoad(options) << std::endl;
  return 0;
}
