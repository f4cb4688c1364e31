#include "cli/schedule_flags.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/commands/run_request.h"
#include "cli/proto_values.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace forebay::cli {
namespace {

using Paths = std::vector<std::string>;

constexpr const char* kKinds[] = {"cron", "interval", "rrule"};
constexpr std::string_view kCatchUpPrefix = "CATCH_UP_";
constexpr char kNone[] = "none";

absl::Status Usage(std::string_view option, const std::string& value, std::string_view what) {
  return Error(absl::StatusCode::kInvalidArgument, "USAGE")
      .Field(option, value)
      .Next("forebay schedule create --help")
      .Says("{}", what);
}

// The one kind of rule that was given, or none.
absl::StatusOr<std::optional<std::string>> KindOf(const Arguments& arguments) {
  std::optional<std::string> kind;
  for (const char* candidate : kKinds) {
    if (!arguments.Has(candidate)) continue;
    if (kind.has_value()) {
      return Usage(candidate, arguments.Get(candidate),
                   fmt::format("--{} and --{} exclude each other: a schedule has one kind of rule; "
                               "a deploy file may mix kinds",
                               *kind, candidate));
    }
    kind = candidate;
  }
  return kind;
}

// What qualifies a rule is refused without one: it would be lost.
absl::Status CheckQualifiers(const Arguments& arguments, const std::optional<std::string>& kind) {
  if (arguments.Has("day-and") && kind != "cron") {
    return Usage("day-and", "", "--day-and belongs to --cron: give the rule with it");
  }
  if (arguments.Has("anchor") && (!kind.has_value() || kind == "cron")) {
    return Usage("anchor", arguments.Get("anchor"),
                 "--anchor belongs to --interval or --rrule: give the rule with it");
  }
  return absl::OkStatus();
}

absl::Status Qualify(const Arguments& arguments, const Here& here, v1::Schedule& schedule) {
  if (arguments.Has("day-and")) schedule.mutable_cron()->set_day_and(true);
  if (!arguments.Has("anchor")) return absl::OkStatus();
  ASSIGN_OR_RETURN(const auto anchor, ParseTimeOption(arguments.Get("anchor"), "--anchor", here));
  return SetScheduleAnchor(anchor, "--anchor", schedule);
}

absl::Status SetRuleFields(const Arguments& arguments, const Here& here, v1::Schedule& schedule,
                           Paths& paths) {
  ASSIGN_OR_RETURN(const auto kind, KindOf(arguments));
  RETURN_IF_ERROR(CheckQualifiers(arguments, kind));
  if (!kind.has_value()) return absl::OkStatus();
  RETURN_IF_ERROR(SetScheduleRule(*kind, arguments.Get(*kind), "--" + *kind, schedule));
  RETURN_IF_ERROR(Qualify(arguments, here, schedule));
  paths.emplace_back("rule");
  return absl::OkStatus();
}

absl::Status SetBounds(const Arguments& arguments, const Here& here, v1::Schedule& schedule,
                       Paths& paths) {
  if (arguments.Has("start")) {
    schedule.clear_start_time();
    paths.emplace_back("start_time");
    if (const auto text = arguments.Get("start"); text != kNone) {
      ASSIGN_OR_RETURN(const auto start, ParseTimeOption(text, "--start", here));
      SetTime(start, *schedule.mutable_start_time());
    }
  }
  if (arguments.Has("end")) {
    schedule.clear_end_time();
    paths.emplace_back("end_time");
    if (const auto text = arguments.Get("end"); text != kNone) {
      ASSIGN_OR_RETURN(const auto end, ParseTimeOption(text, "--end", here));
      SetTime(end, *schedule.mutable_end_time());
    }
  }
  return absl::OkStatus();
}

absl::Status SetCatchUpFields(const Arguments& arguments, v1::Schedule& schedule, Paths& paths) {
  if (arguments.Has("catch-up")) {
    RETURN_IF_ERROR(SetCatchUp(arguments.Get("catch-up"), "--catch-up", schedule));
    paths.emplace_back("catch_up");
  }
  if (!arguments.Has("catch-up-window")) return absl::OkStatus();
  schedule.clear_catch_up_window();
  paths.emplace_back("catch_up_window");
  const auto text = arguments.Get("catch-up-window");
  if (text == kNone) return absl::OkStatus();
  ASSIGN_OR_RETURN(const auto window, ParseDurationOption(text, "--catch-up-window"));
  SetDuration(window, *schedule.mutable_catch_up_window());
  return absl::OkStatus();
}

absl::Status SetWhatRuns(const Arguments& arguments, v1::Schedule& schedule, Paths& paths) {
  if (arguments.Has("param") || arguments.Has("params")) {
    ASSIGN_OR_RETURN(const Json parameters, ParametersOf(arguments));
    schedule.set_parameters(DumpJson(parameters));
    paths.emplace_back("parameters");
  }
  if (arguments.Has("job-variable")) {
    ASSIGN_OR_RETURN(const Json variables, JobVariablesOf(arguments));
    schedule.set_job_variables(DumpJson(variables));
    paths.emplace_back("job_variables");
  }
  return absl::OkStatus();
}

std::vector<Option> RuleOptions(bool repeated) {
  return {
      {"--cron", "EXPRESSION", "Five fields, e.g. \"0 1 * * *\", or @daily", false, repeated},
      {"--interval", "DURATION", "Every so often, e.g. 90s or 1d", false, repeated},
      {"--rrule", "RRULE", "RFC 5545, e.g. FREQ=WEEKLY;BYDAY=MO", false, repeated},
      {"--anchor", "TIME", "One of the times of --interval; where --rrule begins (now)"},
      {"--day-and", "", "With --cron: day of month and of week must both match, not either"},
      {"--timezone", "ZONE", "Zone of the rule, e.g. Europe/Berlin (UTC)"},
  };
}

std::vector<Option> CatchUpOptions() {
  return {
      {"--catch-up", "WHAT", "Which of the runs that could not start in time still run (all)",
       false, false, false, EnumWords(*v1::CatchUp_descriptor(), kCatchUpPrefix)},
      {"--catch-up-window", "DURATION", "How late is too late for --catch-up; or none"},
  };
}

}  // namespace

std::vector<Option> ScheduleOptions() {
  std::vector<Option> options = RuleOptions(false);
  for (Option& option : ParameterOptions()) options.push_back(std::move(option));
  options.push_back({"--start", "TIME", "No run before, or none"});
  options.push_back({"--end", "TIME", "No run after, or none"});
  for (Option& option : CatchUpOptions()) options.push_back(std::move(option));
  return options;
}

std::vector<Option> DeployScheduleOptions() {
  std::vector<Option> options = RuleOptions(true);
  for (Option& option : CatchUpOptions()) options.push_back(std::move(option));
  return options;
}

absl::StatusOr<std::vector<std::string>> SetScheduleFields(const Arguments& arguments,
                                                           const Here& here,
                                                           v1::Schedule& schedule) {
  Paths paths;
  RETURN_IF_ERROR(SetRuleFields(arguments, here, schedule, paths));
  if (arguments.Has("timezone")) {
    schedule.set_time_zone(arguments.Get("timezone"));
    paths.emplace_back("time_zone");
  }
  RETURN_IF_ERROR(SetWhatRuns(arguments, schedule, paths));
  RETURN_IF_ERROR(SetBounds(arguments, here, schedule, paths));
  RETURN_IF_ERROR(SetCatchUpFields(arguments, schedule, paths));
  return paths;
}

absl::StatusOr<std::vector<v1::Schedule>> DeploySchedules(const Arguments& arguments,
                                                          const Here& here) {
  std::vector<v1::Schedule> schedules;
  ASSIGN_OR_RETURN(const auto kind, KindOf(arguments));
  RETURN_IF_ERROR(CheckQualifiers(arguments, kind));
  if (!kind.has_value()) {
    for (const char* option : {"timezone", "catch-up", "catch-up-window"}) {
      if (!arguments.Has(option)) continue;
      return Usage(option, arguments.Get(option),
                   fmt::format("--{} needs a schedule: --cron, --interval or --rrule", option));
    }
    return schedules;
  }
  for (const std::string& text : arguments.All(*kind)) {
    v1::Schedule schedule;
    Paths ignored;
    schedule.set_slug(ScheduleSlug(*kind, schedules.size() + 1));
    schedule.set_time_zone(arguments.Get("timezone"));
    RETURN_IF_ERROR(SetScheduleRule(*kind, text, "--" + *kind, schedule));
    RETURN_IF_ERROR(Qualify(arguments, here, schedule));
    RETURN_IF_ERROR(SetCatchUpFields(arguments, schedule, ignored));
    schedules.push_back(std::move(schedule));
  }
  return schedules;
}

absl::Status SetScheduleRule(std::string_view kind, const std::string& text, std::string_view where,
                             v1::Schedule& schedule) {
  if (Trim(text).empty()) return Usage(where, text, fmt::format("{} must not be empty", where));
  if (kind == "cron") {
    schedule.mutable_cron()->set_expression(text);
  } else if (kind == "rrule") {
    schedule.mutable_recurrence()->set_text(text);
  } else {
    ASSIGN_OR_RETURN(const auto every, ParseDurationOption(text, where));
    SetDuration(every, *schedule.mutable_interval()->mutable_every());
  }
  return absl::OkStatus();
}

absl::Status SetScheduleAnchor(absl::Time anchor, std::string_view where, v1::Schedule& schedule) {
  if (schedule.has_interval()) {
    SetTime(anchor, *schedule.mutable_interval()->mutable_anchor());
  } else if (schedule.has_recurrence()) {
    SetTime(anchor, *schedule.mutable_recurrence()->mutable_anchor());
  } else {
    return Usage(where, "", fmt::format("{} belongs to an interval or an rrule", where));
  }
  return absl::OkStatus();
}

absl::Status SetCatchUp(const std::string& word, std::string_view where, v1::Schedule& schedule) {
  ASSIGN_OR_RETURN(const int what,
                   ParseEnumWord(*v1::CatchUp_descriptor(), kCatchUpPrefix, word, where));
  schedule.set_catch_up(static_cast<v1::CatchUp>(what));
  return absl::OkStatus();
}

std::string ScheduleSlug(std::string_view kind, size_t n) {
  return n == 1 ? std::string(kind) : fmt::format("{}-{}", kind, n);
}

std::string RuleText(const v1::Schedule& schedule) {
  if (schedule.has_cron()) {
    return schedule.cron().expression() + (schedule.cron().day_and() ? " (both days)" : "");
  }
  if (schedule.has_interval()) return "every " + TypedDuration(schedule.interval().every());
  std::string text(Trim(schedule.recurrence().text()));
  return ReplaceAll(ReplaceAll(text, "\r\n", "\n"), "\n", "; ");
}

std::string CatchUpText(const v1::Schedule& schedule) {
  const auto words = EnumWords(*v1::CatchUp_descriptor(), kCatchUpPrefix);
  const auto index = static_cast<size_t>(std::max<int>(schedule.catch_up(), v1::CATCH_UP_ALL) - 1);
  std::string text = index < words.size() ? words[index] : "";
  if (schedule.has_catch_up_window())
    text += ", window " + TypedDuration(schedule.catch_up_window());
  return text;
}

}  // namespace forebay::cli
