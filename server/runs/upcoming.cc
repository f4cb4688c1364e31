#include "server/runs/upcoming.h"

#include <algorithm>

#include "common/base/status.h"
#include "server/api/messages.h"
#include "server/db/queries.h"
#include "server/store/schedule_row.h"

namespace forebay::server {
namespace {

struct Entry {
  absl::Time due;
  v1::UpcomingRun run;
};

v1::UpcomingRun Named(const Rows& rows, size_t row, absl::Time due) {
  const auto text = [&](int column) { return std::string(rows.Text(row, column)); };
  v1::UpcomingRun run;
  run.set_deployment("teams/" + text(1) + "/flows/" + text(2) + "/deployments/" + text(3));
  run.set_work_queue(text(4));
  if (!rows.IsNull(row, 5)) run.set_schedule(run.deployment() + "/schedules/" + text(5));
  ToProto(due, *run.mutable_due_time());
  return run;
}

absl::Status AddWaiting(Session& session, const Params& params, std::vector<Entry>& entries) {
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kUpcomingRuns, params));
  for (size_t row = 0; row < rows.size(); ++row) {
    const absl::Time due = rows.Time(row, 6);
    Entry entry{due, Named(rows, row, due)};
    entry.run.set_flow_run("flowRuns/" + std::string(rows.Text(row, 0)));
    entry.run.set_blocked(rows.Bool(row, 7));
    entries.push_back(std::move(entry));
  }
  return absl::OkStatus();
}

absl::Status AddFires(Session& session, const std::string& pool, const Uuid& team,
                      absl::Duration within, int most, std::vector<Entry>& entries) {
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kSchedulesOfPool, Args().Text(pool).Id(team)));
  for (size_t row = 0; row < rows.size(); ++row) {
    const absl::Time now = rows.Time(row, 15);
    const auto timetable = ReadTimetable(rows, row, 6, 12, 13, rows.Time(row, 16));
    if (!timetable.ok()) continue;
    const absl::Time after = std::max(now, rows.Time(row, 14));
    const auto fires = timetable->FiresBetween(after, now + within, static_cast<size_t>(most));
    for (const absl::Time fire : fires) entries.push_back({fire, Named(rows, row, fire)});
  }
  return absl::OkStatus();
}

absl::StatusOr<std::vector<Entry>> ReadEntries(Session& session, const Uuid& team,
                                               const std::string& pool, absl::Duration within,
                                               int most) {
  std::vector<Entry> entries;
  const int64_t within_ms = absl::ToInt64Milliseconds(within);
  RETURN_IF_ERROR(
      AddWaiting(session, Args().Text(pool).Id(team).Int(within_ms).Int(most), entries));
  RETURN_IF_ERROR(AddFires(session, pool, team, within, most, entries));
  return entries;
}

}  // namespace

absl::StatusOr<v1::ListUpcomingRunsResponse> UpcomingRuns(Session& session, const Uuid& team,
                                                          const std::string& pool,
                                                          absl::Duration within, int most) {
  // In one snapshot: a fire that becomes a run between two would be in neither list.
  RETURN_IF_ERROR(session.BeginSnapshot());
  absl::StatusOr<std::vector<Entry>> found = ReadEntries(session, team, pool, within, most + 1);
  session.Rollback();
  ASSIGN_OR_RETURN(std::vector<Entry> entries, std::move(found));
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return a.due < b.due; });
  v1::ListUpcomingRunsResponse response;
  response.set_truncated(entries.size() > static_cast<size_t>(most));
  entries.resize(std::min(entries.size(), static_cast<size_t>(most)));
  for (Entry& entry : entries) response.add_runs()->Swap(&entry.run);
  return response;
}

}  // namespace forebay::server
