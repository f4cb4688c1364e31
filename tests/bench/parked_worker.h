#pragma once

// A worker that registers, polls and beats, and is never given anything. Lives on the thread of its
// completion queue.

#include <grpcpp/channel.h>

#include <memory>
#include <string>

#include "absl/time/time.h"
#include "forebay/v1/worker_protocol.grpc.pb.h"
#include "tests/bench/async_call.h"

namespace forebay::bench {

// What all of them share. Only their thread touches it.
struct ParkedGroup {
  std::string token;
  std::string pool;
  grpc::CompletionQueue* queue = nullptr;
  int registered = 0;
  // Calls that failed, and polls that brought something.
  int64_t faults = 0;
  std::string first_fault;
  int64_t polls = 0;
  int64_t beats = 0;
};

class ParkedWorker {
 public:
  ParkedWorker(ParkedGroup& group, const std::shared_ptr<grpc::Channel>& channel, int number);

  void Register();
  // Renews the lease when it is time.
  void Tick(absl::Duration now);

 private:
  void Poll();
  void Beat();
  void Fault(const std::string& what);

  ParkedGroup& group_;
  const int number_;
  std::unique_ptr<v1::WorkerService::Stub> stub_;
  std::string worker_id_;
  int64_t pool_revision_ = 0;
  absl::Duration next_beat_ = absl::InfiniteDuration();
  absl::Duration beat_interval_ = absl::Seconds(5);
};

}  // namespace forebay::bench
