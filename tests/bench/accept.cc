#include <nlohmann/json.hpp>

#include "common/base/clock.h"
#include "tests/bench/pickup.h"
#include "tests/bench/scenes.h"
#include "tests/bench/submitter.h"

namespace forebay::bench {

nlohmann::json RunAccept(const Options& options) {
  Pickup pickup;
  Submitter submitter(PlanFrom(options), pickup);
  const absl::Duration began = SystemClock().Monotonic();
  submitter.Start();
  submitter.Join();
  const absl::Duration spent = SystemClock().Monotonic() - began;
  return {{"accepted", submitter.accepted()},
          {"refused", submitter.refused()},
          {"seconds", absl::ToDoubleSeconds(spent)}};
}

}  // namespace forebay::bench
