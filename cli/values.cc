#include "cli/values.h"

#include <cmath>
#include <nlohmann/json.hpp>

#include "absl/strings/numbers.h"
#include "absl/time/civil_time.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/os/files.h"

namespace forebay::cli {
namespace {

constexpr char kNone[] = "none";
constexpr size_t kDateLength = 10;

// absl knows no days, because of what clocks do twice a year; here one is 24 hours.
bool ParseSpan(const std::string& text, absl::Duration& duration) {
  const size_t after_days = text.find('d');
  if (after_days == std::string::npos) return absl::ParseDuration(text, &duration);
  const auto days = ParseInt(text.substr(0, after_days));
  if (!days.has_value()) return false;
  duration = absl::ZeroDuration();
  const std::string rest = text.substr(after_days + 1);
  if (!rest.empty() && !absl::ParseDuration(rest, &duration)) return false;
  if (duration < absl::ZeroDuration()) return false;
  duration += absl::Hours(24) * *days;
  return true;
}

}  // namespace

absl::Status LayAssignments(const std::vector<std::string>& assignments, std::string_view option,
                            Json& object) {
  for (const std::string& assignment : assignments) {
    const size_t equals = assignment.find('=');
    if (equals == std::string::npos || equals == 0) {
      return Error(absl::StatusCode::kInvalidArgument, "USAGE")
          .Field(option, assignment)
          .Says("{} must look like key=value, not `{}`", option, assignment);
    }
    const std::string text = assignment.substr(equals + 1);
    auto value = ParseJson(text, option);
    object[assignment.substr(0, equals)] = value.ok() ? *std::move(value) : Json(text);
  }
  return absl::OkStatus();
}

absl::StatusOr<Json> ParseObjectOption(const std::string& text, std::string_view option) {
  if (!text.starts_with('@')) return ParseJsonObject(text, option);
  ASSIGN_OR_RETURN(const std::string content, ReadSmallFile(text.substr(1)));
  return ParseJsonObject(content, text.substr(1));
}

absl::StatusOr<absl::Duration> ParseDurationOption(const std::string& text,
                                                   std::string_view option) {
  absl::Duration duration;
  if (const auto seconds = ParseInt(text)) {
    duration = absl::Seconds(*seconds);
  } else if (!ParseSpan(text, duration)) {
    return Error(absl::StatusCode::kInvalidArgument, "USAGE")
        .Field(option, text)
        .Says("{} must be a duration like 90s, 15m or 2h, not `{}`", option, text);
  }
  if (duration >= absl::ZeroDuration() && duration < absl::InfiniteDuration()) return duration;
  return Error(absl::StatusCode::kInvalidArgument, "USAGE")
      .Field(option, text)
      .Says("{} must not be negative or infinite: `{}`", option, text);
}

absl::StatusOr<absl::Time> ParseTimeOption(const std::string& text, std::string_view option,
                                           const Here& here) {
  if (text.starts_with('+')) {
    ASSIGN_OR_RETURN(const auto span, ParseDurationOption(text.substr(1), option));
    return here.now + span;
  }
  absl::Time time;
  std::string ignored;
  if (absl::ParseTime(absl::RFC3339_full, text, &time, &ignored) && time < absl::InfiniteFuture() &&
      time > absl::InfinitePast()) {
    return time;
  }
  std::string civil = text;
  if (civil.size() > kDateLength && civil[kDateLength] == ' ') civil[kDateLength] = 'T';
  absl::CivilSecond second;
  if (text.size() < kDateLength || !absl::ParseLenientCivilTime(civil, &second)) {
    return Error(absl::StatusCode::kInvalidArgument, "USAGE")
        .Field(option, text)
        .Says(
            "{} must be a time like 2026-12-01T08:00:00+01:00, `2026-12-01 08:00` (local) or +2h, "
            "not `{}`",
            option, text);
  }
  const auto found = here.zone.At(second);
  if (found.kind != absl::TimeZone::TimeInfo::SKIPPED) return found.pre;
  return Error(absl::StatusCode::kInvalidArgument, "USAGE")
      .Field(option, text)
      .Says("{}: `{}` does not exist in {}: the clocks are set forward over it", option, text,
            std::string(here.zone.name()));
}

absl::StatusOr<int32_t> ParseCountOption(const std::string& text, std::string_view option,
                                         int32_t least) {
  const auto value = ParseInt(text);
  if (value.has_value() && *value >= least && *value <= INT32_MAX)
    return static_cast<int32_t>(*value);
  return Error(absl::StatusCode::kInvalidArgument, "USAGE")
      .Field(option, text)
      .Says("{} must be a whole number from {} to {}, not `{}`", option, least, INT32_MAX, text);
}

absl::StatusOr<std::optional<int32_t>> ParseLimitOption(const std::string& text,
                                                        std::string_view option) {
  if (text == kNone) return std::nullopt;
  const auto value = ParseInt(text);
  if (value.has_value() && *value >= 0 && *value <= INT32_MAX) {
    return static_cast<int32_t>(*value);
  }
  return Error(absl::StatusCode::kInvalidArgument, "USAGE")
      .Field(option, text)
      .Says("{} must be a whole number from 0 on, or none, not `{}`", option, text);
}

absl::StatusOr<double> ParseNumberOption(const std::string& text, std::string_view option) {
  double value = 0;
  if (absl::SimpleAtod(text, &value) && std::isfinite(value)) return value;
  return Error(absl::StatusCode::kInvalidArgument, "USAGE")
      .Field(option, text)
      .Says("{} must be a number like 0.5, not `{}`", option, text);
}

}  // namespace forebay::cli
