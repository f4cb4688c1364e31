#include "server/duties/scheduling.h"

#include <map>
#include <set>

#include "common/base/status.h"
#include "common/obs/log.h"
#include "server/api/messages.h"
#include "server/db/queries.h"
#include "server/schedule/look_ahead.h"
#include "server/store/schedule_row.h"
#include "server/submit/run_rows.h"
#include "server/submit/submission.h"

namespace forebay::server {
namespace {

constexpr int kSchedulesAtOnce = 100;
constexpr absl::Duration kRetryProblem = absl::Minutes(1);
// Dropping runs that came too late looks at every schedule that wants it.
constexpr int kTicksBetweenDrops = 5;

struct Target {
  int64_t revision = 0;
  bool deleted = false;
  bool blocked = false;
  bool gated = false;
};
using Targets = std::map<Uuid, Target>;

absl::StatusOr<Targets> ReadTargets(Session& session, const Rows& schedules) {
  std::vector<Uuid> ids;
  for (size_t row = 0; row < schedules.size(); ++row) ids.push_back(schedules.Id(row, 1));
  ASSIGN_OR_RETURN(Rows rows,
                   session.Run(queries::kDeploymentsOfSchedules, Args().Array(IdArray(ids))));
  Targets targets;
  for (size_t row = 0; row < rows.size(); ++row) {
    targets[rows.Id(row, 0)] = {rows.Int(row, 1), rows.Bool(row, 2), rows.Bool(row, 3),
                                rows.Bool(row, 4)};
  }
  return targets;
}

CatchUpRule RuleOf(const Rows& rows, size_t row) {
  CatchUpRule rule;
  if (rows.Text(row, 12) == "LAST") rule.kind = CatchUp::kLast;
  if (rows.Text(row, 12) == "SKIP") rule.kind = CatchUp::kSkip;
  if (const auto ms = rows.OptionalInt(row, 13)) rule.window = absl::Milliseconds(*ms);
  return rule;
}

// The rows that one transaction writes.
struct Harvest {
  std::vector<Submission> runs;
  // Beside each: where it belongs.
  std::vector<Target> targets;
  std::set<Uuid> pools;
  ArrayLiteral fire_schedules, fire_times, fire_runs;
  ArrayLiteral looked, made_until, look_at, problems;
};

class SchedulingDuty final : public Duty {
 public:
  SchedulingDuty(Signals& signals, Snapshots& snapshots, UuidSource& ids, Random& random)
      : signals_(signals), snapshots_(snapshots), ids_(ids), random_(random) {}
  std::string name() const override { return "schedules"; }
  absl::Duration interval() const override { return absl::Seconds(1); }

  absl::Status RunOnce(Session& session, const Tenure& tenure) override {
    for (int full = kSchedulesAtOnce; full == kSchedulesAtOnce;) {
      ASSIGN_OR_RETURN(full, LookAtSome(session, tenure));
    }
    if (++ticks_ % kTicksBetweenDrops != 0) return absl::OkStatus();
    return DropMissed(session, tenure);
  }

 private:
  // How many were looked at.
  absl::StatusOr<int> LookAtSome(Session& session, const Tenure& tenure) {
    int looked = 0;
    std::set<Uuid> pools;
    RETURN_IF_ERROR(tenure.Transact(session, [&]() -> absl::Status {
      Harvest harvest;
      ASSIGN_OR_RETURN(Rows rows,
                       session.Run(queries::kDueSchedules, Args().Int(kSchedulesAtOnce)));
      looked = static_cast<int>(rows.size());
      if (looked == 0) return absl::OkStatus();
      ASSIGN_OR_RETURN(const Targets targets, ReadTargets(session, rows));
      for (size_t row = 0; row < rows.size(); ++row)
        RETURN_IF_ERROR(LookAt(session, rows, row, targets, harvest));
      pools = harvest.pools;
      return Write(session, harvest);
    }));
    for (const Uuid& pool : pools) signals_.WorkReady(pool);
    return looked;
  }

  absl::Status LookAt(Session& session, const Rows& rows, size_t row, const Targets& targets,
                      Harvest& harvest) {
    const absl::Time now = rows.Time(row, 18);
    const auto target = targets.find(rows.Id(row, 1));
    LookAhead plan;
    plan.made_until = rows.Time(row, 14);
    std::string problem;
    if (target != targets.end() && !target->second.deleted) {
      const auto timetable = ReadTimetable(rows, row, 2, 10, 11, rows.Time(row, 19));
      if (timetable.ok()) {
        plan = PlanFires(*timetable, RuleOf(rows, row), plan.made_until, now);
        const absl::Status made = Prepare(session, rows, row, target->second, plan, harvest);
        if (absl::IsUnavailable(made) || absl::IsAborted(made)) return made;
        if (!made.ok()) problem = std::string(MessageOf(made));
      } else if (ReasonOf(timetable.status()) != "SCHEDULE_NEVER_FIRES") {
        problem = std::string(MessageOf(timetable.status()));
      }
    }
    if (!problem.empty()) {
      // Nothing was made: from here again when somebody may have mended it.
      plan.made_until = rows.Time(row, 14);
      plan.look_at = now + kRetryProblem;
    }
    harvest.looked.Id(rows.Id(row, 0));
    harvest.made_until.Time(plan.made_until);
    plan.look_at.has_value() ? harvest.look_at.Time(*plan.look_at) : harvest.look_at.Null();
    harvest.problems.Text(problem);
    return absl::OkStatus();
  }

  // One run for each fire, checked as a user's would be.
  absl::Status Prepare(Session& session, const Rows& rows, size_t row, const Target& target,
                       const LookAhead& plan, Harvest& harvest) {
    if (plan.fires.empty()) return absl::OkStatus();
    const Snapshots::Wanted wanted{rows.Id(row, 1), target.revision};
    ASSIGN_OR_RETURN(const auto found, snapshots_.DeploymentsAt(session, std::span(&wanted, 1)));
    Caller caller;
    caller.team = rows.Id(row, 15);
    caller.user = rows.Id(row, 16);
    caller.user_name = rows.Text(row, 17);
    RunOrder order;
    v1::CreateFlowRunRequest& request = order.request;
    request.set_parameters(std::string(rows.Text(row, 8)));
    request.set_job_variables(std::string(rows.Text(row, 9)));
    for (const absl::Time fire : plan.fires) {
      ToProto(fire, *request.mutable_due_time());
      ASSIGN_OR_RETURN(Submission run,
                       PrepareSubmission(order, caller, found.at(wanted.id), ids_, random_));
      run.schedule = rows.Id(row, 0);
      harvest.fire_schedules.Id(*run.schedule);
      harvest.fire_times.Time(fire);
      harvest.fire_runs.Id(run.run);
      harvest.pools.insert(run.deployment->pool);
      harvest.runs.push_back(std::move(run));
      harvest.targets.push_back(target);
    }
    return absl::OkStatus();
  }

  static absl::Status Write(Session& session, Harvest& harvest) {
    if (!harvest.runs.empty()) {
      ASSIGN_OR_RETURN(Rows fresh,
                       session.Run(queries::kInsertFires, Args()
                                                              .Array(harvest.fire_schedules.Take())
                                                              .Array(harvest.fire_times.Take())
                                                              .Array(harvest.fire_runs.Take())));
      std::set<Uuid> wanted;
      for (size_t row = 0; row < fresh.size(); ++row) wanted.insert(fresh.Id(row, 0));
      std::vector<NewRun> runs;
      for (size_t i = 0; i < harvest.runs.size(); ++i) {
        if (!wanted.contains(harvest.runs[i].run)) continue;
        runs.push_back(
            {&harvest.runs[i], harvest.targets[i].blocked, harvest.targets[i].gated, {}, "", 0});
      }
      if (!runs.empty()) RETURN_IF_ERROR(InsertRuns(session, runs).status());
    }
    return session
        .Run(queries::kSchedulesLookedAt, Args()
                                              .Array(harvest.looked.Take())
                                              .Array(harvest.made_until.Take())
                                              .Array(harvest.look_at.Take())
                                              .Array(harvest.problems.Take()))
        .status();
  }

  absl::Status DropMissed(Session& session, const Tenure& tenure) {
    std::vector<Uuid> runs;
    RETURN_IF_ERROR(tenure.Transact(session, [&]() -> absl::Status {
      runs.clear();
      ASSIGN_OR_RETURN(Rows dropped, session.Run(queries::kDropMissedRuns, {}));
      for (size_t row = 0; row < dropped.size(); ++row) runs.push_back(dropped.Id(row, 0));
      return absl::OkStatus();
    }));
    signals_.RunsChanged(runs);
    return absl::OkStatus();
  }

  Signals& signals_;
  Snapshots& snapshots_;
  UuidSource& ids_;
  Random& random_;
  int ticks_ = 0;
};

}  // namespace

std::unique_ptr<Duty> MakeSchedulingDuty(Signals& signals, Snapshots& snapshots, UuidSource& ids,
                                         Random& random) {
  return std::make_unique<SchedulingDuty>(signals, snapshots, ids, random);
}

}  // namespace forebay::server
