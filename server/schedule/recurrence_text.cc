#include "server/schedule/recurrence_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>

#include "common/base/status.h"
#include "common/base/text.h"
#include "server/schedule/local_time.h"
#include "server/schedule/recurrence_date.h"
#include "server/schedule/recurrence_error.h"

namespace forebay::server {
namespace {

constexpr std::string_view kLines = "DTSTART, RRULE, RDATE, EXDATE";

// "NAME;PARAMETERS:VALUE"
struct Line {
  std::string name;
  std::vector<std::string_view> parameters;
  std::string_view value;
};

std::string ToUpper(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return upper;
}

Line SplitLine(std::string_view text) {
  Line line{"RRULE", {}, text};
  const size_t colon = text.find(':');
  if (colon == std::string_view::npos) return line;
  line.value = text.substr(colon + 1);
  line.parameters = Split(text.substr(0, colon), ';');
  line.name = ToUpper(line.parameters.front());
  line.parameters.erase(line.parameters.begin());
  return line;
}

absl::Status CheckParameters(const Line& line, const absl::TimeZone& zone) {
  for (const std::string_view parameter : line.parameters) {
    const size_t sign = std::min(parameter.find('='), parameter.size());
    const std::string name = ToUpper(parameter.substr(0, sign));
    const std::string_view value = parameter.substr(std::min(sign + 1, parameter.size()));
    if (line.name != "RRULE" && name == "VALUE" && (value == "DATE" || value == "DATE-TIME")) {
      continue;
    }
    if (line.name != "RRULE" && name == "TZID") {
      if (value == std::string_view(zone.name())) continue;
      return InvalidRecurrence("TZID", value, "is not the schedule's time zone",
                               std::string(zone.name()));
    }
    return InvalidRecurrence(line.name, parameter, "is no known parameter",
                             line.name == "RRULE" ? "none" : "TZID, VALUE=DATE, VALUE=DATE-TIME");
  }
  return absl::OkStatus();
}

absl::StatusOr<RecurrenceDate> ParseDate(const Line& line, std::string_view text) {
  const auto date = ParseRecurrenceDate(text);
  if (!date) return InvalidRecurrence(line.name, text, "is no date", kRecurrenceDateForm);
  return *date;
}

absl::Status AddDates(const Line& line, const absl::TimeZone& zone,
                      std::vector<absl::Time>& dates) {
  for (const std::string_view text : Split(line.value, ',')) {
    ASSIGN_OR_RETURN(const RecurrenceDate date, ParseDate(line, Trim(text)));
    dates.push_back(InstantOf(zone, date));
  }
  return absl::OkStatus();
}

// The lines that may come before the DTSTART which they need.
struct Draft {
  std::optional<absl::CivilSecond> start;
  RecurrenceText text;
};

absl::Status AddLine(const Line& line, const absl::TimeZone& zone, Draft& draft) {
  RETURN_IF_ERROR(CheckParameters(line, zone));
  if (line.name == "RDATE") return AddDates(line, zone, draft.text.dates);
  if (line.name == "EXDATE") return AddDates(line, zone, draft.text.excluded);
  if (line.name == "DTSTART") {
    if (draft.start) return InvalidRecurrence("DTSTART", line.value, "is given twice", "once");
    ASSIGN_OR_RETURN(const RecurrenceDate date, ParseDate(line, line.value));
    draft.start = date.utc ? absl::ToCivilSecond(InstantOf(zone, date), zone) : date.time;
    return absl::OkStatus();
  }
  if (line.name != "RRULE") return InvalidRecurrence(line.name, line.value, "is no line", kLines);
  if (draft.text.rules.size() == kMostRecurrenceRules) {
    return InvalidRecurrence("RRULE", line.value, "is one too many",
                             fmt::format("{} rules", kMostRecurrenceRules));
  }
  ASSIGN_OR_RETURN(RecurrencePattern rule, ParseRecurrencePattern(ToUpper(line.value), zone));
  draft.text.rules.push_back(std::move(rule));
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RecurrenceText> ParseRecurrenceText(std::string_view text, absl::Time anchor,
                                                   const absl::TimeZone& zone) {
  if (text.size() > kMostRecurrenceLength) {
    return InvalidRecurrence("RRULE", text, "is too long",
                             fmt::format("{} bytes", kMostRecurrenceLength));
  }
  Draft draft;
  for (const std::string_view line : Split(text, '\n')) {
    const std::string_view trimmed = Trim(line);
    if (!trimmed.empty()) RETURN_IF_ERROR(AddLine(SplitLine(trimmed), zone, draft));
  }
  RecurrenceText& found = draft.text;
  if (found.rules.empty() && found.dates.empty()) {
    return InvalidRecurrence("RRULE", "", "is missing", "an RRULE or RDATE line");
  }
  found.start = draft.start.value_or(absl::ToCivilSecond(anchor, zone));
  for (RecurrencePattern& rule : found.rules) rule = WithDefaults(std::move(rule), found.start);
  std::sort(found.dates.begin(), found.dates.end());
  std::sort(found.excluded.begin(), found.excluded.end());
  return std::move(found);
}

}  // namespace forebay::server
