#include "tests/bench/load.h"

#include <memory>
#include <nlohmann/json.hpp>
#include <vector>

#include "common/base/clock.h"
#include "tests/bench/pickup.h"
#include "tests/bench/sim_worker.h"
#include "tests/bench/submitter.h"

namespace forebay::bench {
namespace {

constexpr absl::Duration kPatience = absl::Seconds(30);

WorkerGroup GroupFrom(const Options& options, grpc::CompletionQueue& queue, Pickup& pickup) {
  WorkerGroup group;
  group.server = options.Text("server");
  group.token = FirstLine(options.Text("worker-key-file"));
  group.pool = options.Text("pool");
  group.slots = static_cast<int>(options.Number("slots", 16));
  group.queue = &queue;
  group.pickup = &pickup;
  return group;
}

// Serves the workers' queue until the submitter and the workers are done.
void Drive(WorkerGroup& group, std::vector<std::unique_ptr<SimWorker>>& workers,
           const Submitter& submitter) {
  absl::Duration last_progress = SystemClock().Monotonic();
  int64_t last_completed = 0;
  for (;;) {
    void* tag = nullptr;
    bool ok = false;
    const auto deadline = std::chrono::system_clock::now() + std::chrono::milliseconds(100);
    if (group.queue->AsyncNext(&tag, &ok, deadline) == grpc::CompletionQueue::GOT_EVENT)
      static_cast<Tag*>(tag)->Done();
    const absl::Duration now = SystemClock().Monotonic();
    for (auto& worker : workers) worker->Tick(now);
    if (group.completed != last_completed) {
      last_completed = group.completed;
      last_progress = now;
    }
    const bool all_done = submitter.finished() && group.completed >= submitter.accepted();
    if (all_done || now - last_progress > kPatience) return;
  }
}

// Ends what is parked: the workers' leases end, so the server answers every poll.
void Wind(WorkerGroup& group, std::vector<std::unique_ptr<SimWorker>>& workers) {
  group.stopping = true;
  for (auto& worker : workers) worker->Leave();
  while (group.calls_in_flight > 0) {
    void* tag = nullptr;
    bool ok = false;
    const auto deadline = std::chrono::system_clock::now() + std::chrono::seconds(1);
    if (group.queue->AsyncNext(&tag, &ok, deadline) != grpc::CompletionQueue::GOT_EVENT) return;
    static_cast<Tag*>(tag)->Done();
  }
}

}  // namespace

nlohmann::json RunLoad(const Options& options) {
  Pickup pickup;
  grpc::CompletionQueue queue;
  WorkerGroup group = GroupFrom(options, queue, pickup);
  std::vector<std::unique_ptr<SimWorker>> workers;
  for (int64_t i = 0; i < options.Number("workers", 64); ++i) {
    workers.push_back(std::make_unique<SimWorker>(group, static_cast<int>(i)));
    workers.back()->Start();
  }
  Submitter submitter(PlanFrom(options), pickup);
  const absl::Duration began = SystemClock().Monotonic();
  submitter.Start();
  Drive(group, workers, submitter);
  const double seconds = absl::ToDoubleSeconds(SystemClock().Monotonic() - began);
  Wind(group, workers);
  const Pickup::Summary summary = pickup.Take();
  return {{"accepted", submitter.accepted()},
          {"refused", submitter.refused()},
          {"completed", group.completed},
          {"doubled", summary.doubled},
          {"faults", group.faults},
          {"first_fault", group.first_fault},
          {"seconds", seconds},
          {"pickup_p50_ms", Percentile(summary.after_answer_ms, 0.5)},
          {"pickup_p99_ms", Percentile(summary.after_answer_ms, 0.99)},
          {"from_call_p50_ms", Percentile(summary.after_call_ms, 0.5)},
          {"from_call_p99_ms", Percentile(summary.after_call_ms, 0.99)}};
}

}  // namespace forebay::bench
