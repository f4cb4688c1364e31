#include "cli/values.h"

#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/os/files.h"

namespace forebay::cli {

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
  } else if (!absl::ParseDuration(text, &duration)) {
    return Error(absl::StatusCode::kInvalidArgument, "USAGE")
        .Field(option, text)
        .Says("{} must be a duration like 90s, 15m or 2h, not `{}`", option, text);
  }
  if (duration >= absl::ZeroDuration() && duration < absl::InfiniteDuration()) return duration;
  return Error(absl::StatusCode::kInvalidArgument, "USAGE")
      .Field(option, text)
      .Says("{} must not be negative or infinite: `{}`", option, text);
}

}  // namespace forebay::cli
