#include <cstdlib>
#include <string>

#include "common/base/text.h"
#include "tests/simulation/world.h"
#include "tests/support/catch.h"

namespace forebay::simulation {
namespace {

// FOREBAY_SIMULATIONS=1000000 for a long run; FOREBAY_SIMULATION_SEED=n repeats one schedule.
uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : static_cast<uint64_t>(ParseInt(text).value_or(0));
}

TEST_CASE("simulation: no schedule of faults breaks an invariant, and every run ends",
          "[simulation]") {
  const uint64_t first = FromEnvironment("FOREBAY_SIMULATION_SEED", 1);
  const uint64_t schedules = FromEnvironment("FOREBAY_SIMULATIONS", 10'000);
  uint64_t ended = 0;
  for (uint64_t seed = first; seed < first + schedules; ++seed) {
    World world(seed);
    std::string broken;
    for (int step = 0; step < 200 && broken.empty(); ++step) broken = world.Step();
    if (broken.empty()) broken = world.Drain();
    ended += static_cast<uint64_t>(world.ended());
    if (broken.empty()) continue;
    INFO("seed " << seed << ": " << broken);
    REQUIRE(broken.empty());
  }
  CHECK(ended > schedules);
}

}  // namespace
}  // namespace forebay::simulation
