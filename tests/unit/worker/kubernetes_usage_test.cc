// What was set aside for a Pod, and what it used by the samples of the metrics API. The objects are
// those of Kubernetes 1.33 and metrics-server 0.7.

#include <nlohmann/json.hpp>

#include "common/json/json.h"
#include "tests/support/catch.h"
#include "worker/launch/kubernetes/metrics/pod_usage.h"

namespace forebay::worker {
namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kNever = -1;
// 2026-01-02T03:04:00Z
constexpr int64_t kMinute = 1767323040 * kSecond;

Json Parsed(const std::string& text) { return *ParseJson(text, "test"); }

// Scheduled at second 5; its containers ended at 25 (main) and 35.
Json EndedPod() {
  return Parsed(R"({"metadata":{"name":"p","uid":"u",
    "annotations":{"forebay.io/main-container":"main"}},
    "spec":{"nodeName":"n","overhead":{"cpu":"50m","memory":"1Mi"},"containers":[
      {"name":"main","resources":{"requests":{"cpu":"250m","memory":"64Mi"}}},
      {"name":"side","resources":{"limits":{"cpu":"200m"},"requests":{"cpu":"200m"}}}]},
    "status":{"phase":"Succeeded","conditions":[
      {"type":"PodScheduled","status":"True","lastTransitionTime":"2026-01-02T03:04:05Z"}],
    "containerStatuses":[
      {"name":"main","state":{"terminated":{"exitCode":0,"startedAt":"2026-01-02T03:04:15Z",
        "finishedAt":"2026-01-02T03:04:25Z"}}},
      {"name":"side","state":{"terminated":{"exitCode":0,"startedAt":"2026-01-02T03:04:15Z",
        "finishedAt":"2026-01-02T03:04:35Z"}}}]}})");
}

TEST_CASE("a reservation is requests times the time from scheduling to the last end",
          "[kubernetes]") {
  const auto reserved = ReservationOf(DigestPod(EndedPod()), kNever);
  REQUIRE(reserved.has_value());
  CHECK(reserved->cpu_micros == 30 * kSecond / 2);
  CHECK(reserved->memory_byte_seconds == 30 * (65LL << 20));
}

TEST_CASE("ends that nobody saw are taken from the main container, else from the clock",
          "[kubernetes]") {
  Json pod = EndedPod();
  pod["status"]["containerStatuses"][1]["state"] = {{"running", Json::object()}};
  CHECK(ReservationOf(DigestPod(pod), kNever)->cpu_micros == 20 * kSecond / 2);
  pod["status"]["containerStatuses"][0]["state"] = {{"running", Json::object()}};
  CHECK(ReservationOf(DigestPod(pod), kMinute + 65 * kSecond)->cpu_micros == 60 * kSecond / 2);
  // Clocks differ.
  CHECK(ReservationOf(DigestPod(pod), kMinute)->cpu_micros == 0);
}

TEST_CASE("a Pod that no node took has nothing set aside, and one without requests has zero",
          "[kubernetes]") {
  Json pod = EndedPod();
  pod["spec"].erase("overhead");
  for (Json& container : pod["spec"]["containers"]) container.erase("resources");
  const auto reserved = ReservationOf(DigestPod(pod), kNever);
  REQUIRE(reserved.has_value());
  CHECK((reserved->cpu_micros == 0 && reserved->memory_byte_seconds == 0));
  pod["status"]["conditions"][0]["status"] = "False";
  CHECK_FALSE(ReservationOf(DigestPod(pod), kMinute).has_value());
}

TEST_CASE("a reservation beyond all numbers is the largest one", "[kubernetes]") {
  Json pod = EndedPod();
  pod["spec"]["containers"][0]["resources"]["requests"] = {{"cpu", "8E"}, {"memory", "7E"}};
  const auto reserved = ReservationOf(DigestPod(pod), kNever);
  CHECK((reserved->cpu_micros == INT64_MAX && reserved->memory_byte_seconds == INT64_MAX));
}

Json Metrics(const std::string& time, const std::string& window, const std::string& containers) {
  Json metrics = Parsed(R"({"metadata":{"name":"forebay-x-1-abcde","namespace":"team-a"}})");
  metrics["timestamp"] = "2026-01-02T03:04:" + time + "Z";
  metrics["window"] = window;
  metrics["containers"] = Parsed(containers);
  return metrics;
}

constexpr char kTwoContainers[] =
    R"([{"name":"main","usage":{"cpu":"156340210n","memory":"40960Ki"}},
        {"name":"side","usage":{"cpu":"100m","memory":"1Mi"}}])";

TEST_CASE("a sample is of all containers together", "[kubernetes]") {
  const auto sample = ReadPodSample(Metrics("30", "15.5s", kTwoContainers));
  REQUIRE(sample.has_value());
  CHECK(sample->pod == "forebay-x-1-abcde");
  CHECK(sample->time_micros == kMinute + 30 * kSecond);
  CHECK(sample->window == absl::Milliseconds(15500));
  CHECK(sample->cpu.nanos == 256340210);
  CHECK(sample->memory_bytes == 41LL << 20);
  CHECK(ReadPodSample(Metrics("30", "1m0s", kTwoContainers))->window == absl::Minutes(1));
}

TEST_CASE("what is no sample is none", "[kubernetes]") {
  for (const char* containers :
       {"[]", "null", R"("x")", R"([{"name":"main"}])", R"([{"name":"main","usage":{"cpu":"1m"}}])",
        R"([{"name":"main","usage":{"cpu":"much","memory":"1Mi"}}])",
        R"([{"name":"main","usage":{"cpu":"-1m","memory":"1Mi"}}])"}) {
    INFO(containers);
    CHECK_FALSE(ReadPodSample(Metrics("30", "15s", containers)).has_value());
  }
  for (const char* window : {"", "0s", "-15s", "15", "inf"}) {
    INFO(window);
    CHECK_FALSE(ReadPodSample(Metrics("30", window, kTwoContainers)).has_value());
  }
  CHECK_FALSE(ReadPodSample(Metrics("later", "15s", kTwoContainers)).has_value());
  CHECK_FALSE(ReadPodSample(Json("text")).has_value());
}

PodSample Sample(int64_t second, int64_t cpu_millis, int64_t memory) {
  PodSample sample;
  sample.time_micros = kMinute + second * kSecond;
  sample.window = absl::Seconds(10);
  sample.cpu.nanos = absl::int128(cpu_millis) * kSecond;
  sample.memory_bytes = memory;
  return sample;
}

TEST_CASE("samples add up: the first for its window, others for the time since the last",
          "[kubernetes]") {
  SampledUse use;
  CHECK_FALSE(use.cpu_micros().has_value());
  CHECK_FALSE(use.peak_memory_bytes().has_value());
  use.Add(Sample(20, 500, 100), kMinute);
  CHECK(use.cpu_micros() == 5 * kSecond);
  use.Add(Sample(35, 1000, 300), kMinute);
  CHECK(use.cpu_micros() == 20 * kSecond);
  use.Add(Sample(45, 0, 200), kMinute);
  CHECK(use.cpu_micros() == 20 * kSecond);
  CHECK(use.peak_memory_bytes() == 300);
}

TEST_CASE("a sample that was seen before says nothing", "[kubernetes]") {
  SampledUse use;
  use.Add(Sample(20, 500, 100), kMinute);
  use.Add(Sample(20, 900, 900), kMinute);
  use.Add(Sample(15, 900, 900), kMinute);
  CHECK(use.cpu_micros() == 5 * kSecond);
  CHECK(use.peak_memory_bytes() == 100);
}

TEST_CASE("what was not sampled from its beginning is not measured", "[kubernetes]") {
  SampledUse use;
  use.Add(Sample(200, 500, 100), kMinute);
  use.Add(Sample(210, 500, 100), kMinute);
  CHECK_FALSE(use.cpu_micros().has_value());
  CHECK_FALSE(use.peak_memory_bytes().has_value());
}

TEST_CASE("a use beyond all numbers is the largest one", "[kubernetes]") {
  SampledUse use;
  use.Add(Sample(20, INT64_MAX / kSecond, 1), kMinute);
  PodSample last = Sample(30, INT64_MAX, INT64_MAX);
  last.time_micros = INT64_MAX;
  use.Add(last, kMinute);
  use.Add(last, kMinute);
  CHECK(use.cpu_micros() == INT64_MAX);
}

}  // namespace
}  // namespace forebay::worker
