#include "cli/run_tally.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/names.h"
#include "cli/run_view.h"
#include "common/base/text.h"

namespace forebay::cli {

absl::Status RunTally::Add(const v1::FlowRun& run) {
  const auto id = Uuid::Parse(LastSegment(run.name()));
  if (!id.has_value())
    return absl::InternalError(fmt::format("the server named a run `{}`", run.name()));
  ids_.push_back(*id);
  if (samples_.size() < kSamples) samples_.push_back(run);
  ++groups_[{DeploymentShortName(run.deployment()), ShownState(run.state())}];
  return absl::OkStatus();
}

Listing RunTally::Groups() const {
  std::vector<std::pair<std::pair<std::string, std::string>, int64_t>> groups(groups_.begin(),
                                                                              groups_.end());
  std::stable_sort(groups.begin(), groups.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  Listing listing;
  listing.columns = {{"RUNS", false, true}, {"DEPLOYMENT"}, {"STATE", false, false, true}};
  for (const auto& [group, count] : groups) {
    Json value = {{"deployment", group.first}, {"state", group.second}, {"runs", count}};
    listing.rows.push_back(
        {"", {std::to_string(count), group.first, group.second}, std::move(value)});
  }
  return listing;
}

int64_t ChangeTally::refused() const {
  int64_t sum = 0;
  for (const auto& [reason, count] : refused_) sum += count;
  return sum;
}

std::string ChangeTally::Text(std::string_view done) const {
  std::string text = fmt::format("{} {}", changed_, done);
  if (refused_.empty()) return text;
  std::vector<std::string> reasons;
  for (const auto& [reason, count] : refused_)
    reasons.push_back(fmt::format("{} {}", reason, count));
  return text + fmt::format(", {} refused ({})", refused(), Join(reasons, ", "));
}

Json ChangeTally::Value(const std::string& done) const {
  Json reasons = Json::object();
  for (const auto& [reason, count] : refused_) reasons[reason] = count;
  Json value = Json::object();
  value[done] = changed_;
  value["refused"] = std::move(reasons);
  return value;
}

std::string RunCount(int64_t count) {
  return fmt::format("{} flow run{}", count, count == 1 ? "" : "s");
}

}  // namespace forebay::cli
