// forebay-bench-sql: what the machine's PostgreSQL can do at best. Replays the life of runs with
// the server's own statements, batched, straight over libpq: no RPC, no checks, no scheduling.
// Prints one JSON object.

#include <atomic>
#include <iostream>
#include <nlohmann/json.hpp>
#include <thread>
#include <vector>

#include "common/base/clock.h"
#include "tests/bench/options.h"
#include "tests/bench/sql_batch.h"

namespace {

using forebay::bench::Options;
using forebay::bench::SqlBatch;
using forebay::bench::Target;

void Replay(const Options& options, const Target& target, std::atomic<int64_t>& left) {
  SqlBatch batch(options.Text("database-url"), target);
  const int size = static_cast<int>(options.Number("batch", 500));
  while (left.fetch_sub(size) > 0) batch.RunLifecycles(size);
}

}  // namespace

int main(int argc, char** argv) {
  const Options options(argc, argv);
  const int64_t runs = options.Number("runs", 50'000);
  std::atomic<int64_t> left = runs;
  const absl::Duration began = forebay::SystemClock().Monotonic();
  std::vector<std::thread> threads;
  // Each connection has a queue of its own, so that they do not wait for each other's locks.
  for (const char* which : {"a", "b"}) {
    const auto id = [&](const std::string& name) {
      return *forebay::Uuid::Parse(options.Text(name));
    };
    const std::string suffix = std::string("-") + which;
    Target target{
        id("team"),           id("user"),   id("deployment" + suffix),       id("pool" + suffix),
        id("queue" + suffix), id("worker"), options.Text("parameters", "{}")};
    threads.emplace_back([&options, target, &left] { Replay(options, target, left); });
  }
  for (std::thread& thread : threads) thread.join();
  const double seconds = absl::ToDoubleSeconds(forebay::SystemClock().Monotonic() - began);
  std::cout << nlohmann::json{{"runs", runs}, {"seconds", seconds}} << std::endl;
  return 0;
}
