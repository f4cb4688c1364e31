#pragma once

// Schedules as options and as text, shared by `schedule`, `deploy` and the deploy file. Pure but
// for `--params @FILE`.

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/command.h"
#include "cli/values.h"
#include "forebay/v1/schedule.pb.h"

namespace forebay::cli {

// --cron … --catch-up-window of `schedule create` and `schedule update`.
std::vector<Option> ScheduleOptions();
// Those of `deploy`, where a rule may be given several times.
std::vector<Option> DeployScheduleOptions();

// Lays the given options over `schedule`; answers the paths of an update mask that they change.
// INVALID_ARGUMENT (USAGE): several kinds of rule, an option that the rule does not take.
absl::StatusOr<std::vector<std::string>> SetScheduleFields(const Arguments& arguments,
                                                           const Here& here,
                                                           v1::Schedule& schedule);

// The schedules that the options of `deploy` mean, with the slugs "cron", "cron-2", …: deploying
// again with the same options replaces the same schedules. INVALID_ARGUMENT (USAGE).
absl::StatusOr<std::vector<v1::Schedule>> DeploySchedules(const Arguments& arguments,
                                                          const Here& here);

// "cron", "interval" or "rrule" with its text; `where` names it in errors.
absl::Status SetScheduleRule(std::string_view kind, const std::string& text, std::string_view where,
                             v1::Schedule& schedule);
// INVALID_ARGUMENT (USAGE) when the rule is a cron, which has none.
absl::Status SetScheduleAnchor(absl::Time anchor, std::string_view where, v1::Schedule& schedule);
absl::Status SetCatchUp(const std::string& word, std::string_view where, v1::Schedule& schedule);
// The slug of the n-th schedule of a kind, from 1.
std::string ScheduleSlug(std::string_view kind, size_t n);

// "0 1 * * *", "every 1m30s" or the text of the recurrence on one line.
std::string RuleText(const v1::Schedule& schedule);
// "all", "last" or "skip" with its window.
std::string CatchUpText(const v1::Schedule& schedule);

}  // namespace forebay::cli
