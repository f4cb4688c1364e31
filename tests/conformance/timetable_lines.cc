// Answers schedules for the oracles of test_timetable_oracles.py: a JSON object a line in, one a
// line out.
//
//   {"cron": "0 2 * * *", "day_or": true}                         the rule: one of these three
//   {"interval": 3600, "anchor": 0}
//   {"rrule": "FREQ=DAILY", "anchor": 0}
//   "zone": "Europe/Berlin", "now": 0, "after": [0, …], "count": 3   all times in Unix seconds
//
// Answers {"fires": [[…], …]}, the `count` fires after each of `after`, or {"error": reason,
// "message": …}. With the argument --measure: {"ns": nanoseconds of one NextAfter} instead.

#include <chrono>
#include <cstdio>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "common/base/status.h"
#include "common/json/json.h"
#include "server/schedule/timetable.h"

namespace {

using forebay::Json;
using forebay::server::Timetable;
using forebay::server::TimetableSpec;

absl::Time At(const Json& request, const char* key) {
  return absl::FromUnixSeconds(request.value(key, int64_t{0}));
}

TimetableSpec SpecOf(const Json& request) {
  TimetableSpec spec;
  if (request.contains("cron")) {
    spec.rule = forebay::server::CronRule{request["cron"], request.value("day_or", true)};
  } else if (request.contains("interval")) {
    spec.rule = forebay::server::IntervalRule{absl::Seconds(request["interval"].get<int64_t>()),
                                              At(request, "anchor")};
  } else {
    spec.rule = forebay::server::RecurrenceRule{request["rrule"], At(request, "anchor")};
  }
  spec.time_zone = request.value("zone", "");
  return spec;
}

// Each fire in turn as far as there is one, then from the start again.
Json Measure(const Timetable& timetable, absl::Time from) {
  constexpr int kCalls = 10'000;
  const auto began = std::chrono::steady_clock::now();
  absl::Time at = from;
  for (int call = 0; call < kCalls; ++call) at = timetable.NextAfter(at).value_or(from);
  const std::chrono::duration<double, std::nano> spent = std::chrono::steady_clock::now() - began;
  return {{"ns", spent.count() / kCalls}};
}

Json Fires(const Timetable& timetable, const Json& request) {
  Json answers = Json::array();
  for (const Json& after : request["after"]) {
    Json fires = Json::array();
    for (const absl::Time fire :
         timetable.FiresBetween(absl::FromUnixSeconds(after.get<int64_t>()), absl::InfiniteFuture(),
                                request.value("count", size_t{1}))) {
      fires.push_back(absl::ToUnixSeconds(fire));
    }
    answers.push_back(std::move(fires));
  }
  return {{"fires", std::move(answers)}};
}

Json Answer(const Json& request, bool measure) {
  const auto timetable = Timetable::Parse(SpecOf(request), At(request, "now"));
  if (!timetable.ok()) {
    return {{"error", forebay::ReasonOf(timetable.status())},
            {"message", std::string(forebay::MessageOf(timetable.status()))}};
  }
  return measure ? Measure(*timetable, At(request, "now")) : Fires(*timetable, request);
}

}  // namespace

int main(int argc, char** argv) {
  const bool measure = argc > 1 && std::string_view(argv[1]) == "--measure";
  std::string line;
  while (std::getline(std::cin, line)) {
    const auto request = forebay::ParseJsonObject(line, "case");
    if (!request.ok()) {
      std::fprintf(stderr, "%s\n", request.status().ToString().c_str());
      return 1;
    }
    std::cout << forebay::DumpJson(Answer(*request, measure)) << '\n';
  }
  return 0;
}
