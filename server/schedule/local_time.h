#pragma once

// From local times to instants and back: one order for all schedules that name local times.
//
// InstantOf is monotone: of two local times the later one is never the earlier instant. A local
// time that a clock skips becomes the instant at which the gap ends; one that a clock shows twice
// becomes the first of the two. Pure; thread-safe (absl guards its cache of zones).

#include <string>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "absl/time/time.h"

namespace forebay::server {

// The zone of the IANA name; empty: UTC. INVALID_ARGUMENT (UNKNOWN_TIME_ZONE, `nearest`) for a name
// that is no IANA name or that this host's zone data lack. Names of files ("localtime", "posix/…",
// absolute paths) are not looked at.
absl::StatusOr<absl::TimeZone> ParseTimeZone(const std::string& name);

absl::Time InstantOf(const absl::TimeZone& zone, absl::CivilSecond local);

// The latest local time with InstantOf(local) <= time. It differs from what the clock shows only
// during the second pass of a repeated hour.
absl::CivilSecond LatestLocal(const absl::TimeZone& zone, absl::Time time);

}  // namespace forebay::server
