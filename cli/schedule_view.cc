#include "cli/schedule_view.h"

#include <nlohmann/json.hpp>

#include "cli/names.h"
#include "cli/output/proto_json.h"
#include "cli/schedule_flags.h"
#include "common/base/text.h"

namespace forebay::cli {
namespace {

std::string ZoneText(const v1::Schedule& schedule) {
  return schedule.time_zone().empty() ? "UTC" : schedule.time_zone();
}

std::string StateText(const v1::Schedule& schedule) {
  return schedule.paused() ? "PAUSED" : "ACTIVE";
}

std::string InZone(const google::protobuf::Timestamp& stamp, const std::string& name) {
  absl::TimeZone zone;
  // A zone that this machine does not know is shown as UTC; the offset says so.
  if (!absl::LoadTimeZone(name, &zone)) zone = absl::UTCTimeZone();
  return absl::FormatTime("%Y-%m-%d %H:%M:%S %Ez", TimeOf(stamp), zone);
}

}  // namespace

std::string WhenLocal(Session& session, const google::protobuf::Timestamp& stamp) {
  const std::string when = When(session, stamp);
  const bool full =
      session.output().time == TimeStyle::kIso || session.output().format == OutputFormat::kCsv;
  if (when.empty() || full) return when;
  return absl::FormatTime("%Y-%m-%d %H:%M:%S", TimeOf(stamp), absl::LocalTimeZone()) + " (" + when +
         ")";
}

Listing ScheduleListing() {
  Listing listing;
  listing.columns = {
      {"DEPLOYMENT"}, {"SLUG"},           {"RULE"},   {"ZONE"}, {"STATE", false, false, true},
      {"NEXT FIRE"},  {"CATCH UP", true}, {"PROBLEM"}};
  return listing;
}

Row ScheduleRow(Session& session, const v1::Schedule& schedule) {
  const std::string name = ScheduleShortName(schedule.name());
  const std::string next =
      schedule.next_fires().empty() ? "" : WhenLocal(session, schedule.next_fires(0));
  return {name,
          {DeploymentOfSchedule(name), LastSegment(name), RuleText(schedule), ZoneText(schedule),
           StateText(schedule), next, CatchUpText(schedule), schedule.problem()},
          ToJson(schedule)};
}

Card ScheduleCard(Session& session, const v1::Schedule& schedule) {
  const std::string name = ScheduleShortName(schedule.name());
  const auto& anchor =
      schedule.has_interval() ? schedule.interval().anchor() : schedule.recurrence().anchor();
  return {name,
          {{"Name", name},
           {"Deployment", DeploymentOfSchedule(name)},
           {"State", StateText(schedule)},
           {"Problem", schedule.problem()},
           {"Rule", RuleText(schedule)},
           {"Time zone", ZoneText(schedule)},
           {"Anchor", WhenLocal(session, anchor)},
           {"Start", WhenLocal(session, schedule.start_time())},
           {"End", WhenLocal(session, schedule.end_time())},
           {"Catch up", CatchUpText(schedule)},
           {"Parameters", schedule.parameters()},
           {"Job variables", schedule.job_variables()},
           {"Created", When(session, schedule.create_time())},
           {"Updated", When(session, schedule.update_time())},
           {"Creator", schedule.creator()},
           {"UID", schedule.uid()}},
          ToJson(schedule)};
}

Listing NextFires(Session& session, const v1::Schedule& schedule) {
  Listing listing;
  listing.columns = {{"NEXT FIRES"}, {"LOCAL TIME"}};
  for (const auto& fire : schedule.next_fires()) {
    listing.rows.push_back({"", {InZone(fire, ZoneText(schedule)), WhenLocal(session, fire)}, {}});
  }
  return listing;
}

}  // namespace forebay::cli
