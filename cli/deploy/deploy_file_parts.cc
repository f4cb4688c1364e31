#include "cli/deploy/deploy_file_parts.h"

#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/proto_values.h"
#include "cli/schedule_flags.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace forebay::cli {
namespace {

const std::vector<std::string>& ScheduleKeys() {
  static const std::vector<std::string> keys = {
      "cron",   "interval", "rrule", "timezone", "slug",     "parameters",     "job_variables",
      "anchor", "start",    "end",   "day_and",  "catch_up", "catch_up_window"};
  return keys;
}

absl::Status SetText(const std::string& key, const std::string& text, const Here& here,
                     v1::Schedule& schedule) {
  if (key == "timezone") schedule.set_time_zone(text);
  if (key == "slug") schedule.set_slug(text);
  if (key == "catch_up") return SetCatchUp(text, key, schedule);
  if (key == "catch_up_window") {
    ASSIGN_OR_RETURN(const auto window, ParseDurationOption(text, key));
    SetDuration(window, *schedule.mutable_catch_up_window());
  }
  if (key == "start" || key == "end" || key == "anchor") {
    ASSIGN_OR_RETURN(const auto time, ParseTimeOption(text, key, here));
    if (key == "anchor") return SetScheduleAnchor(time, key, schedule);
    SetTime(time, key == "start" ? *schedule.mutable_start_time() : *schedule.mutable_end_time());
  }
  return absl::OkStatus();
}

absl::Status SetKey(const std::string& where, const std::string& key, const Json& value,
                    const Here& here, v1::Schedule& schedule) {
  if (key == "parameters" || key == "job_variables") {
    if (!value.is_object()) return NotThat(where, key, "keys and values", value);
    (key == "parameters" ? *schedule.mutable_parameters() : *schedule.mutable_job_variables()) =
        DumpJson(value);
    return absl::OkStatus();
  }
  if (key == "day_and") {
    if (!value.is_boolean()) return NotThat(where, key, "true or false", value);
    if (!schedule.has_cron()) return NotThat(where, key, "beside a cron", value);
    schedule.mutable_cron()->set_day_and(value.get<bool>());
    return absl::OkStatus();
  }
  const auto text = ScalarText(value);
  if (!text.has_value()) return NotThat(where, key, "a text", value);
  return Annotate(SetText(key, *text, here, schedule), where);
}

// The rule comes first, whatever the order of the keys: an anchor belongs to it.
absl::StatusOr<std::string> SetRule(const std::string& where, const Json& entry,
                                    v1::Schedule& schedule) {
  std::string kind;
  for (const char* candidate : {"cron", "interval", "rrule"}) {
    const auto found = entry.find(candidate);
    if (found == entry.end()) continue;
    const auto text = ScalarText(*found);
    if (!text.has_value()) return NotThat(where, candidate, "a text", *found);
    if (!kind.empty()) return NotThat(where, candidate, "alone: a schedule has one rule", *found);
    kind = candidate;
    RETURN_IF_ERROR(Annotate(SetScheduleRule(kind, *text, kind, schedule), where));
  }
  if (!kind.empty()) return kind;
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_CONFIG_VALUE")
      .Field("cron", "")
      .Says("{}: a schedule needs one of `cron`, `interval`, `rrule`", where);
}

absl::StatusOr<v1::Schedule> ParseSchedule(const std::string& where, const Json& entry,
                                           const Here& here, std::map<std::string, size_t>& kinds) {
  if (!entry.is_object()) return NotThat(where, "schedules", "a list of keys and values", entry);
  const auto& keys = ScheduleKeys();
  for (const auto& [key, value] : entry.items()) {
    if (std::find(keys.begin(), keys.end(), key) == keys.end()) return UnknownKey(where, key, keys);
  }
  v1::Schedule schedule;
  ASSIGN_OR_RETURN(const std::string kind, SetRule(where, entry, schedule));
  schedule.set_slug(ScheduleSlug(kind, ++kinds[kind]));
  for (const auto& [key, value] : entry.items()) {
    if (key != "cron" && key != "interval" && key != "rrule")
      RETURN_IF_ERROR(SetKey(where, key, value, here, schedule));
  }
  return schedule;
}

}  // namespace

std::optional<std::string> ScalarText(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number()) return DumpJson(value);
  return std::nullopt;
}

absl::StatusOr<std::vector<v1::Schedule>> ParseFileSchedules(const std::string& where,
                                                             const Json& list, const Here& here) {
  if (!list.is_array()) return NotThat(where, "schedules", "a list of schedules", list);
  std::vector<v1::Schedule> schedules;
  std::map<std::string, size_t> kinds;
  std::set<std::string> slugs;
  for (size_t i = 0; i < list.size(); ++i) {
    const std::string place = fmt::format("{}: schedules[{}]", where, i);
    ASSIGN_OR_RETURN(auto schedule, ParseSchedule(place, list[i], here, kinds));
    if (!slugs.insert(schedule.slug()).second)
      return NotThat(place, "slug", "unlike those of the schedules before it", schedule.slug());
    schedules.push_back(std::move(schedule));
  }
  return schedules;
}

absl::Status UnknownKey(std::string_view where, const std::string& key,
                        const std::vector<std::string>& known) {
  const std::string nearest = NearestName(key, known);
  return Error(absl::StatusCode::kInvalidArgument, "UNKNOWN_CONFIG_KEY")
      .Field(key, "")
      .With("nearest", nearest)
      .With("allowed", Join(known, ", "))
      .Says("{}: unknown key `{}`{}", where, key,
            nearest.empty() ? "" : fmt::format("; did you mean `{}`?", nearest));
}

absl::Status NotThat(std::string_view where, std::string_view key, std::string_view wanted,
                     const Json& value) {
  return Error(absl::StatusCode::kInvalidArgument, "INVALID_CONFIG_VALUE")
      .Field(key, DumpJson(value))
      .Says("{}: `{}` must be {}, not {}", where, key, wanted, DumpJson(value));
}

}  // namespace forebay::cli
