#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "common/base/clock.h"
#include "tests/bench/pickup.h"
#include "tests/bench/scenes.h"
#include "tests/bench/sim_worker.h"
#include "tests/bench/submitter.h"

namespace forebay::bench {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(30);

// One server's half of the workers and of the submissions.
struct Half {
  WorkerGroup group;
  std::vector<std::unique_ptr<SimWorker>> workers;
  std::unique_ptr<Submitter> submitter;
};

SubmitPlan HalfOf(SubmitPlan plan, const std::string& server) {
  plan.server = server;
  plan.runs /= 2;
  plan.calls_in_flight = std::max<int64_t>(1, plan.calls_in_flight / 2);
  return plan;
}

std::unique_ptr<Half> Make(const Options& options, const std::string& server,
                           grpc::CompletionQueue& queue, Pickup& pickup) {
  auto half = std::make_unique<Half>();
  half->group.server = server;
  half->group.token = FirstLine(options.Text("worker-key-file"));
  half->group.pool = options.Text("pool");
  half->group.slots = static_cast<int>(options.Number("slots", 16));
  half->group.queue = &queue;
  half->group.pickup = &pickup;
  for (int64_t i = 0; i < options.Number("workers", 64) / 2; ++i) {
    half->workers.push_back(std::make_unique<SimWorker>(half->group, static_cast<int>(i)));
    half->workers.back()->Start();
  }
  half->submitter = std::make_unique<Submitter>(HalfOf(PlanFrom(options), server), pickup);
  return half;
}

bool Serve(grpc::CompletionQueue& queue, std::chrono::milliseconds patience) {
  void* tag = nullptr;
  bool ok = false;
  const auto deadline = std::chrono::system_clock::now() + patience;
  if (queue.AsyncNext(&tag, &ok, deadline) != grpc::CompletionQueue::GOT_EVENT) return false;
  static_cast<Tag*>(tag)->Done();
  return true;
}

// A run may be taken at the other server than the one that accepted it: only the sums agree.
void Drive(grpc::CompletionQueue& queue, Half& one, Half& two) {
  absl::Duration last_progress = SystemClock().Monotonic();
  int64_t last_completed = 0;
  for (;;) {
    Serve(queue, std::chrono::milliseconds(100));
    const absl::Duration now = SystemClock().Monotonic();
    for (Half* half : {&one, &two}) {
      for (auto& worker : half->workers) worker->Tick(now);
    }
    const int64_t completed = one.group.completed + two.group.completed;
    if (completed != last_completed) {
      last_completed = completed;
      last_progress = now;
    }
    const bool accepted = one.submitter->finished() && two.submitter->finished();
    if (accepted && completed >= one.submitter->accepted() + two.submitter->accepted()) return;
    if (now - last_progress > kPatience) return;
  }
}

void Wind(grpc::CompletionQueue& queue, Half& one, Half& two) {
  for (Half* half : {&one, &two}) {
    half->group.stopping = true;
    for (auto& worker : half->workers) worker->Leave();
  }
  while (one.group.calls_in_flight + two.group.calls_in_flight > 0) {
    if (!Serve(queue, std::chrono::seconds(1))) return;
  }
}

}  // namespace

nlohmann::json RunReplicas(const Options& options) {
  Pickup pickup;
  grpc::CompletionQueue queue;
  const auto one = Make(options, options.Text("server"), queue, pickup);
  const auto two = Make(options, options.Text("other-server"), queue, pickup);
  const absl::Duration began = SystemClock().Monotonic();
  one->submitter->Start();
  two->submitter->Start();
  Drive(queue, *one, *two);
  const double seconds = absl::ToDoubleSeconds(SystemClock().Monotonic() - began);
  Wind(queue, *one, *two);
  return {{"accepted", one->submitter->accepted() + two->submitter->accepted()},
          {"refused", one->submitter->refused() + two->submitter->refused()},
          {"completed", one->group.completed + two->group.completed},
          {"doubled", pickup.Take().doubled},
          {"faults", one->group.faults + two->group.faults},
          {"first_fault", one->group.first_fault + two->group.first_fault},
          {"seconds", seconds}};
}

}  // namespace forebay::bench
