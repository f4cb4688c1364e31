// Schedules from hostile text: parsing ends, and fires come one after the other. The first byte
// chooses the kind of rule and the zone.

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "server/schedule/timetable.h"

using forebay::server::CronRule;
using forebay::server::RecurrenceRule;
using forebay::server::Timetable;
using forebay::server::TimetableSpec;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  static constexpr std::array<const char*, 4> kZones = {"", "Europe/Berlin", "Australia/Lord_Howe",
                                                        "Pacific/Apia"};
  const absl::Time now =
      absl::FromCivil(absl::CivilSecond(2026, 3, 28, 12, 0, 0), absl::UTCTimeZone());
  const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
  TimetableSpec spec;
  spec.time_zone = kZones[data[0] / 4 % kZones.size()];
  if (data[0] % 4 == 3) {
    spec.rule = CronRule{"0 0 * * *"};
    spec.time_zone = text;
  } else if (data[0] % 2 == 0) {
    spec.rule = CronRule{text, data[0] % 4 == 0};
  } else {
    spec.rule = RecurrenceRule{text, now};
  }
  const auto timetable = Timetable::Parse(spec, now);
  if (!timetable.ok()) return 0;
  absl::Time last = now;
  for (const absl::Time fire : timetable->FiresBetween(now, absl::InfiniteFuture(), 3)) {
    if (fire <= last || timetable->NextAfter(fire - absl::Nanoseconds(1)) != fire) std::abort();
    last = fire;
  }
  return 0;
}
