#pragma once

// Submits runs: as many as fit (a fixed number of calls in flight) or at a fixed rate. One thread
// of its own.

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include "absl/time/time.h"
#include "forebay/v1/flow_run.grpc.pb.h"
#include "tests/bench/async_call.h"
#include "tests/bench/options.h"
#include "tests/bench/pickup.h"

namespace forebay::bench {

struct SubmitPlan {
  std::string server;
  std::string token;
  std::string deployment;
  // Of each run, as JSON; may be empty.
  std::string parameters;
  // Runs in all, and per call: 1 uses CreateFlowRun, more BatchCreateFlowRuns.
  int64_t runs = 0;
  int64_t batch = 1;
  int64_t calls_in_flight = 1;
  // Runs per second; 0 = as fast as the server takes them.
  int64_t rate = 0;
};

// The plan of the options that all loads have.
SubmitPlan PlanFrom(const Options& options);

class Submitter {
 public:
  Submitter(SubmitPlan plan, Pickup& pickup);
  ~Submitter();

  // Begins on a thread of its own.
  void Start();
  // Runs acknowledged so far.
  int64_t accepted() const { return accepted_; }
  // Calls refused so far; each ends the submitter's wish for its runs.
  int64_t refused() const { return refused_; }
  // Waits until it has finished.
  void Join() { thread_.join(); }
  // Every run was acknowledged or refused.
  bool finished() const { return finished_; }

 private:
  void Run();
  bool Due(absl::Duration now) const;
  void Submit(absl::Duration now);
  void SubmitOne(absl::Duration now);
  void SubmitBatch(int64_t count, absl::Duration now);
  void Answered(int64_t accepted, int64_t refused);

  const SubmitPlan plan_;
  Pickup& pickup_;
  std::unique_ptr<v1::FlowRunService::Stub> stub_;
  grpc::CompletionQueue queue_;
  std::thread thread_;
  absl::Duration began_ = absl::ZeroDuration();
  int64_t sent_ = 0;
  int64_t in_flight_ = 0;
  std::atomic<int64_t> accepted_ = 0;
  std::atomic<int64_t> refused_ = 0;
  std::atomic<bool> finished_ = false;
};

}  // namespace forebay::bench
