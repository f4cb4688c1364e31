#include <nlohmann/json.hpp>
#include <thread>

#include "common/base/clock.h"
#include "tests/bench/pickup.h"
#include "tests/bench/scenes.h"
#include "tests/bench/submitter.h"

namespace forebay::bench {

nlohmann::json RunAccept(const Options& options) {
  SubmitPlan plan;
  plan.server = options.Text("server");
  plan.token = FirstLine(options.Text("key-file"));
  plan.deployment = options.Text("deployment");
  plan.parameters = options.Text("parameters", "");
  plan.runs = options.Number("runs", 1000);
  plan.batch = options.Number("batch", 1);
  plan.calls_in_flight = options.Number("calls-in-flight", 1);
  Pickup pickup;
  Submitter submitter(plan, pickup);
  const absl::Duration began = SystemClock().Monotonic();
  submitter.Start();
  while (!submitter.finished()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const absl::Duration spent = SystemClock().Monotonic() - began;
  return {{"accepted", submitter.accepted()},
          {"refused", submitter.refused()},
          {"seconds", absl::ToDoubleSeconds(spent)}};
}

}  // namespace forebay::bench
