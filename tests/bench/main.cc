// forebay-bench: simulated workers and a submitter against a running server. Prints one JSON
// object; scripts/bench calls it, checks the database afterwards and makes the table. `--scene`
// names another play than the usual load.

#include <iostream>
#include <nlohmann/json.hpp>

#include "absl/synchronization/mutex.h"
#include "tests/bench/load.h"
#include "tests/bench/options.h"
#include "tests/bench/scenes.h"

int main(int argc, char** argv) {
  // As forebay-server: Abseil as packaged looks for a cycle at every lock.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  const forebay::bench::Options options(argc, argv);
  const std::string scene = options.Text("scene", "load");
  const auto play = scene == "accept"     ? forebay::bench::RunAccept
                    : scene == "parked"   ? forebay::bench::RunParked
                    : scene == "replicas" ? forebay::bench::RunReplicas
                                          : forebay::bench::RunLoad;
  std::cout << play(options) << std::endl;
  return 0;
}
