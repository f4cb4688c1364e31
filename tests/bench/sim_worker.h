#pragma once

// A worker that speaks the whole protocol over a connection of its own and whose user code takes no
// time: poll, pass the start gate, report the exit. Facts that become known while a report is on
// its way go with the next one, as in the real worker. Lives on the thread of its completion queue.

#include <memory>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "forebay/v1/worker_protocol.grpc.pb.h"
#include "tests/bench/async_call.h"
#include "tests/bench/pickup.h"

namespace forebay::bench {

// What all workers of one load share. Only their thread touches it.
struct WorkerGroup {
  std::string server;
  std::string token;
  std::string pool;
  int slots = 16;
  grpc::CompletionQueue* queue = nullptr;
  Pickup* pickup = nullptr;
  int64_t completed = 0;
  // Answers that an undisturbed run never gives: a stale report, a failed call.
  int64_t faults = 0;
  std::string first_fault;
  bool stopping = false;
  int calls_in_flight = 0;
};

class SimWorker {
 public:
  SimWorker(WorkerGroup& group, int number);

  // Registers and begins to poll. Blocking; called before the queue's thread runs.
  void Start();
  // Renews the lease when it is time.
  void Tick(absl::Duration now);
  // Gives up the lease. Blocking; called after the queue's thread has ended.
  void Leave();

 private:
  void Poll();
  void OnPoll(const grpc::Status& status, const v1::PollResponse& response);
  void Report();
  void OnReport(const grpc::Status& status, const v1::ReportAttemptsResponse& response);
  void Fault(std::string what);

  WorkerGroup& group_;
  const int number_;
  std::unique_ptr<v1::WorkerService::Stub> stub_;
  std::string worker_id_;
  int free_;
  bool polling_ = false;
  // To be reported next, and under way.
  v1::ReportAttemptsRequest facts_;
  v1::ReportAttemptsRequest reporting_;
  absl::Duration next_beat_ = absl::ZeroDuration();
  absl::Duration beat_interval_ = absl::Seconds(5);
};

}  // namespace forebay::bench
