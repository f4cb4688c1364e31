// Numbers, not checks: run with the tag [.measure].

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>

#include "common/base/clock.h"
#include "common/base/text.h"
#include "common/os/files.h"
#include "tests/conformance/launchers.h"
#include "tests/support/catch.h"

namespace forebay::worker {
namespace {

std::string Percentiles(std::vector<int64_t> micros) {
  std::sort(micros.begin(), micros.end());
  const auto at = [&micros](size_t percent) { return micros[(micros.size() - 1) * percent / 100]; };
  return fmt::format("p50 {} us, p90 {} us, p99 {} us", at(50), at(90), at(99));
}

TEST_CASE("time from launch to the command's first instruction, and to its seen end",
          "[.measure]") {
  Fixture fixture(AllLaunchers()[0]);
  constexpr int kRuns = 300;
  std::vector<int64_t> to_begin, to_end, calls;
  for (int i = 0; i < kRuns; ++i) {
    const int64_t start = absl::ToUnixMicros(SystemClock().Now());
    const std::string name = fixture.Begin({{"command", {"date", "+%s%N"}}});
    calls.push_back(absl::ToUnixMicros(SystemClock().Now()) - start);
    while (fixture.launcher().Observe(name)->stage < Stage::kExited) continue;
    to_end.push_back(absl::ToUnixMicros(SystemClock().Now()) - start);
    to_begin.push_back(ParseInt(fixture.Text(name).at(0)).value_or(0) / 1000 - start);
    REQUIRE(fixture.launcher().Remove(name).ok());
  }
  std::cout << "Launch and Go return: " << Percentiles(calls) << "\n"
            << "first words of date:  " << Percentiles(to_begin) << "\n"
            << "end seen:             " << Percentiles(to_end) << "\n";
}

// The kinds that need a cluster, where there is one.
const LauncherKind* Kubernetes() {
  for (const LauncherKind& kind : AllLaunchers()) {
    if (kind.type == "kubernetes") return &kind;
  }
  return nullptr;
}

int64_t ResidentKib() {
  for (const std::string_view line : Split(*ReadSmallFile("/proc/self/status"), '\n')) {
    if (line.starts_with("VmRSS:"))
      return ParseInt(Trim(line.substr(6, line.size() - 9))).value_or(0);
  }
  return 0;
}

TEST_CASE("time from launch to the first line of a Pod, and to its seen end", "[.measure]") {
  const LauncherKind* kind = Kubernetes();
  if (kind == nullptr) return;
  Fixture fixture(*kind);
  constexpr int kRuns = 40;
  std::vector<int64_t> to_launch, to_go, to_begin, to_end;
  for (int i = 0; i < kRuns; ++i) {
    const LaunchSpec spec = fixture.Spec(Writes(*kind, 1));
    const int64_t start = absl::ToUnixMicros(SystemClock().Now());
    const auto passed = [start] { return absl::ToUnixMicros(SystemClock().Now()) - start; };
    REQUIRE(fixture.launcher().Launch(spec).ok());
    to_launch.push_back(passed());
    while (fixture.launcher().Observe(spec.name)->stage < Stage::kWaiting) continue;
    REQUIRE(fixture.launcher().Go(spec.name).ok());
    to_go.push_back(passed());
    while (fixture.launcher().Observe(spec.name)->stage < Stage::kExited) continue;
    to_end.push_back(passed());
    to_begin.push_back(fixture.Log(spec.name).back().time_micros() - start);
    REQUIRE(fixture.launcher().Remove(spec.name).ok());
  }
  std::cout << "Launch returns:     " << Percentiles(to_launch) << "\n"
            << "Go returns:         " << Percentiles(to_go) << "\n"
            << "first line written: " << Percentiles(to_begin) << "\n"
            << "end seen:           " << Percentiles(to_end) << "\n";
}

TEST_CASE("memory for many Jobs that wait", "[.measure]") {
  const LauncherKind* kind = Kubernetes();
  if (kind == nullptr) return;
  const char* wanted = std::getenv("FOREBAY_MEASURE_JOBS");
  const int64_t count = ParseInt(wanted == nullptr ? "" : wanted).value_or(1000);
  Fixture fixture(*kind);
  const int64_t before = ResidentKib();
  const absl::Duration start = SystemClock().Monotonic();
  std::vector<std::string> names;
  for (int64_t i = 0; i < count; ++i) {
    const LaunchSpec spec = fixture.Spec(Writes(*kind, 1));
    const absl::Status launched = fixture.launcher().Launch(spec);
    INFO(launched.ToString());
    REQUIRE(launched.ok());
    names.push_back(spec.name);
  }
  const auto launched = SystemClock().Monotonic() - start;
  for (const std::string& name : names) fixture.WaitForStage(name, Stage::kWaiting);
  std::cout << count << " Jobs launched in " << absl::FormatDuration(launched) << ", waiting after "
            << absl::FormatDuration(SystemClock().Monotonic() - start) << ", resident " << before
            << " -> " << ResidentKib() << " KiB\n";
  fixture.Restart();
  std::cout << "found again: " << fixture.launcher().Find().size() << ", resident " << ResidentKib()
            << " KiB\n";
}

TEST_CASE("scripted runs at once", "[.measure]") {
  Fixture fixture(AllLaunchers()[1]);
  constexpr int kRuns = 20000;
  const absl::Duration start = SystemClock().Monotonic();
  std::vector<std::string> names;
  for (int i = 0; i < kRuns; ++i) names.push_back(fixture.Begin({{"duration_ms", 50}}));
  for (const std::string& name : names) fixture.WaitForStage(name, Stage::kExited);
  std::cout << kRuns
            << " scripted runs: " << absl::FormatDuration(SystemClock().Monotonic() - start)
            << "\n";
}

}  // namespace
}  // namespace forebay::worker
