// Numbers, not checks: run with the tag [.measure].

#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <nlohmann/json.hpp>

#include "common/base/clock.h"
#include "common/base/text.h"
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
