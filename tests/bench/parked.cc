#include <grpcpp/create_channel.h>
#include <poll.h>

#include <iostream>
#include <nlohmann/json.hpp>
#include <vector>

#include "common/base/clock.h"
#include "tests/bench/parked_worker.h"
#include "tests/bench/scenes.h"

namespace forebay::bench {
namespace {

// Registrations under way at once, so that the server refuses none.
constexpr int kAtOnce = 64;

std::vector<std::shared_ptr<grpc::Channel>> Connections(const std::string& server, int64_t count) {
  std::vector<std::shared_ptr<grpc::Channel>> channels;
  for (int64_t i = 0; i < count; ++i) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    channels.push_back(
        grpc::CreateCustomChannel(server, grpc::InsecureChannelCredentials(), arguments));
  }
  return channels;
}

void Serve(grpc::CompletionQueue& queue) {
  void* tag = nullptr;
  bool ok = false;
  const auto deadline = std::chrono::system_clock::now() + std::chrono::milliseconds(20);
  if (queue.AsyncNext(&tag, &ok, deadline) == grpc::CompletionQueue::GOT_EVENT)
    static_cast<Tag*>(tag)->Done();
}

bool InputEnded() {
  pollfd watched{0, POLLIN, 0};
  return ::poll(&watched, 1, 0) > 0;
}

}  // namespace

nlohmann::json RunParked(const Options& options) {
  // What is parked is left behind: to end every poll in order would take a lease's end for each.
  auto* queue = new grpc::CompletionQueue;
  ParkedGroup group;
  group.token = FirstLine(options.Text("worker-key-file"));
  group.pool = options.Text("pool");
  group.queue = queue;
  const auto count = static_cast<int>(options.Number("workers", 1000));
  const auto channels = Connections(options.Text("server"), options.Number("connections", count));
  std::vector<std::unique_ptr<ParkedWorker>> workers;
  bool told = false;
  absl::Duration next_tick = absl::ZeroDuration();
  while (!InputEnded()) {
    const auto begun = static_cast<int>(workers.size());
    if (begun < count && begun - group.registered < kAtOnce && group.faults == 0) {
      const auto& channel = channels[static_cast<size_t>(begun) % channels.size()];
      workers.push_back(std::make_unique<ParkedWorker>(group, channel, begun));
      workers.back()->Register();
      continue;
    }
    Serve(*queue);
    if (!told && group.registered + group.faults >= count) {
      told = true;
      std::cout << "parked" << std::endl;
    }
    const absl::Duration now = SystemClock().Monotonic();
    if (now < next_tick) continue;
    next_tick = now + absl::Milliseconds(100);
    for (auto& worker : workers) worker->Tick(now);
  }
  for (auto& worker : workers) worker.release();
  return {{"parked", group.registered},
          {"polls", group.polls},
          {"beats", group.beats},
          {"faults", group.faults},
          {"first_fault", group.first_fault}};
}

}  // namespace forebay::bench
