#include "server/duties/retention.h"

#include <map>

#include "common/base/status.h"
#include "common/obs/log.h"
#include "server/db/queries.h"

namespace forebay::server {
namespace {

// All duties share a thread: a turn is short, and the next one comes soon when there is more.
constexpr int kLookedAtOnce = 20'000;
constexpr int kDeletedAtOnce = 500;
constexpr absl::Duration kBusy = absl::Milliseconds(500);
constexpr absl::Duration kIdle = absl::Seconds(5);
// Even if nothing else has changed, runs may have ended since.
constexpr absl::Duration kBetweenPasses = absl::Hours(1);

struct Week {
  std::string name;
  int64_t begins = 0;
  int64_t ends = 0;
};

// One walk through a week: for a run that has to stay, and if there is one, again for those that
// need not.
struct Pass {
  enum Step { kLook, kDelete, kDone };
  // Whose runs need not stay, as of its begin.
  std::string pools;
  absl::Duration begun;
  Step step = kLook;
  // Up to where.
  Uuid place;
};

class RetentionDuty final : public Duty {
 public:
  RetentionDuty(const Retention& retention, const Clock& clock)
      : clock_(clock),
        runs_ms_(absl::ToInt64Milliseconds(retention.runs)),
        events_ms_(absl::ToInt64Milliseconds(retention.events)) {}
  std::string name() const override { return "retention"; }
  absl::Duration interval() const override { return more_ ? kBusy : kIdle; }

  absl::Status RunOnce(Session& session, const Tenure& tenure) override {
    more_ = false;
    RETURN_IF_ERROR(ClearRuns(session, tenure));
    RETURN_IF_ERROR(DropEvents(session, tenure));
    return tenure.Transact(session, [&] {
      return session.Run(queries::kDeleteOldWorkers, Args().Int(runs_ms_)).status();
    });
  }

 private:
  absl::Status ClearRuns(Session& session, const Tenure& tenure) {
    ASSIGN_OR_RETURN(Rows weeks, session.Run(queries::kWeeksToClear, Args().Int(runs_ms_)));
    std::map<std::string, Pass> passes;
    for (size_t row = 0; row < weeks.size(); ++row) {
      const Week week{std::string(weeks.Text(row, 0)), weeks.Int(row, 1), weeks.Int(row, 2)};
      Pass pass = passes_[week.name];
      const bool changed = pass.pools != weeks.Text(row, 3);
      if (changed || clock_.Monotonic() - pass.begun > kBetweenPasses)
        pass = {std::string(weeks.Text(row, 3)), clock_.Monotonic(), Pass::kLook, {}};
      // A batch a turn, of the oldest week that is not done.
      if (pass.step != Pass::kDone && !more_) RETURN_IF_ERROR(GoOn(session, tenure, week, pass));
      passes[week.name] = pass;
    }
    passes_ = std::move(passes);
    return absl::OkStatus();
  }

  absl::Status GoOn(Session& session, const Tenure& tenure, const Week& week, Pass& pass) {
    more_ = true;
    const bool deleting = pass.step == Pass::kDelete;
    const int most = deleting ? kDeletedAtOnce : kLookedAtOnce;
    bool last = false;
    bool stays = false;
    RETURN_IF_ERROR(tenure.Transact(session, [&]() -> absl::Status {
      Args args;
      args.Int(week.begins).Int(week.ends).Id(pass.place).Int(most).Int(runs_ms_);
      ASSIGN_OR_RETURN(
          Rows rows,
          session.Run(deleting ? queries::kDeleteOldRuns : queries::kLookForWantedRuns, args));
      last = rows.Int(0, 0) < most;
      stays = rows.Bool(0, 2);
      pass.place = Uuid::Parse(rows.Text(0, 1)).value_or(pass.place);
      return absl::OkStatus();
    }));
    if (deleting) {
      if (last) pass.step = Pass::kDone;
    } else if (stays) {
      pass.step = Pass::kDelete;
      pass.place = Uuid();
    } else if (last) {
      return Drop(session, tenure, week);
    }
    return absl::OkStatus();
  }

  // Tried again at the next turn when somebody reads.
  absl::Status Drop(Session& session, const Tenure& tenure, const Week& week) {
    RETURN_IF_ERROR(tenure.Transact(session, [&]() -> absl::Status {
      ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kDropWeekOfRuns, Args().Text(week.name)));
      more_ = rows.Bool(0, 0);
      return absl::OkStatus();
    }));
    if (more_) spdlog::info("dropped the history of runs of {}", week.name);
    return absl::OkStatus();
  }

  absl::Status DropEvents(Session& session, const Tenure& tenure) {
    ASSIGN_OR_RETURN(Rows weeks, session.Run(queries::kEventWeeksToDrop, Args().Int(events_ms_)));
    for (size_t row = 0; row < weeks.size(); ++row) {
      RETURN_IF_ERROR(tenure.Transact(session, [&] {
        return session.Run(queries::kDropWeekOfEvents, Args().Text(weeks.Text(row, 0))).status();
      }));
    }
    return absl::OkStatus();
  }

  const Clock& clock_;
  const int64_t runs_ms_;
  const int64_t events_ms_;
  bool more_ = false;
  // By week.
  std::map<std::string, Pass> passes_;
};

}  // namespace

std::unique_ptr<Duty> MakeRetentionDuty(const Retention& retention, const Clock& clock) {
  return std::make_unique<RetentionDuty>(retention, clock);
}

}  // namespace forebay::server
