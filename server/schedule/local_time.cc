#include "server/schedule/local_time.h"

#include <algorithm>

#include "common/base/status.h"
#include "common/base/text.h"
#include "server/schedule/zone_names.h"

namespace forebay::server {
namespace {

constexpr size_t kMostNameLength = 64;

// Whether absl would look for the name among the zones only: it takes paths and more as well.
bool IsZoneName(const std::string& name) {
  if (name.empty() || name.size() > kMostNameLength) return false;
  for (const std::string_view part : Split(name, '/')) {
    const auto is_letter = [](char c) { return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'); };
    if (part.empty() || !is_letter(part[0])) return false;
    if (!std::all_of(part.begin(), part.end(), [&](char c) {
          return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '+';
        })) {
      return false;
    }
  }
  const std::string_view first = Split(name, '/').front();
  return first != "posix" && first != "right" && first != "localtime" && first != "posixrules" &&
         first != "Fixed" && first != "libc";
}

absl::Status UnknownZone(const std::string& name) {
  const std::string shown = ToValidUtf8(name.substr(0, kMostNameLength));
  const std::string nearest = NearestName(shown, ZoneNames());
  if (nearest.empty()) {
    return Error(absl::StatusCode::kInvalidArgument, "UNKNOWN_TIME_ZONE")
        .Field("time_zone", shown)
        .Says("'{}' is no time zone; write a name such as Europe/Berlin", shown);
  }
  return Error(absl::StatusCode::kInvalidArgument, "UNKNOWN_TIME_ZONE")
      .Field("time_zone", shown)
      .With("nearest", nearest)
      .Says("'{}' is no time zone; did you mean '{}'?", shown, nearest);
}

}  // namespace

absl::StatusOr<absl::TimeZone> ParseTimeZone(const std::string& name) {
  if (name.empty() || name == "UTC") return absl::UTCTimeZone();
  absl::TimeZone zone;
  if (!IsZoneName(name) || !absl::LoadTimeZone(name, &zone)) return UnknownZone(name);
  return zone;
}

absl::Time InstantOf(const absl::TimeZone& zone, absl::CivilSecond local) {
  const absl::TimeZone::TimeInfo info = zone.At(local);
  return info.kind == absl::TimeZone::TimeInfo::SKIPPED ? info.trans : info.pre;
}

absl::CivilSecond LatestLocal(const absl::TimeZone& zone, absl::Time time) {
  const absl::CivilSecond shown = absl::ToCivilSecond(time, zone);
  const absl::TimeZone::TimeInfo info = zone.At(shown);
  if (info.kind == absl::TimeZone::TimeInfo::REPEATED && time >= info.trans) {
    return absl::ToCivilSecond(info.trans - absl::Seconds(1), zone);
  }
  return shown;
}

}  // namespace forebay::server
