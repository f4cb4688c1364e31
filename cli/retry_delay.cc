#include "cli/retry_delay.h"

#include "cli/values.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace forebay::cli {
namespace {

constexpr std::string_view kExponential = "exponential:";
constexpr std::string_view kDots = "..";
// What the API takes.
constexpr size_t kMostDelays = 100;

absl::StatusOr<std::vector<absl::Duration>> ParseExponential(const std::string& text,
                                                             std::string_view option) {
  const std::string range = text.substr(kExponential.size());
  const size_t dots = range.find(kDots);
  if (dots == std::string::npos) {
    return Error(absl::StatusCode::kInvalidArgument, "USAGE")
        .Field(option, text)
        .Says(
            "{} must look like exponential:10s..10m, from the first pause to the longest, not `{}`",
            option, text);
  }
  ASSIGN_OR_RETURN(absl::Duration pause, ParseDurationOption(range.substr(0, dots), option));
  ASSIGN_OR_RETURN(const absl::Duration cap,
                   ParseDurationOption(range.substr(dots + kDots.size()), option));
  if (pause <= absl::ZeroDuration() || cap < pause) {
    return Error(absl::StatusCode::kInvalidArgument, "USAGE")
        .Field(option, text)
        .Says("{}: the first pause must be above 0 and the longest not below it, not `{}`", option,
              text);
  }
  std::vector<absl::Duration> delays;
  for (; pause < cap; pause *= 2) delays.push_back(pause);
  delays.push_back(cap);
  return delays;
}

}  // namespace

absl::StatusOr<std::vector<absl::Duration>> ParseRetryDelay(const std::string& text,
                                                            std::string_view option) {
  std::vector<absl::Duration> delays;
  if (text == "none") return delays;
  if (text.starts_with(kExponential)) return ParseExponential(text, option);
  for (const std::string_view part : Split(text, ',')) {
    ASSIGN_OR_RETURN(const auto delay, ParseDurationOption(std::string(Trim(part)), option));
    delays.push_back(delay);
  }
  if (delays.size() <= kMostDelays) return delays;
  return Error(absl::StatusCode::kInvalidArgument, "USAGE")
      .Field(option, text)
      .Says("{} takes at most {} pauses, not {}", option, kMostDelays, delays.size());
}

}  // namespace forebay::cli
