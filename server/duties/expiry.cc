#include "server/duties/expiry.h"

#include "common/base/status.h"
#include "common/obs/log.h"
#include "server/db/queries.h"
#include "server/runs/held_attempt.h"
#include "server/runs/slot_counters.h"

namespace forebay::server {
namespace {

// Workers beat every third of a lease and reconnect within 2 s.
constexpr absl::Duration kSettle = absl::Seconds(8);

Event EventFor(std::string_view cause, std::string_view worker) {
  Event event;
  if (cause == "said") {
    event.kind = EventKind::kSaidLongAgo;
  } else if (cause == "silent") {
    event.kind = EventKind::kSilent;
    event.reason = worker.empty() ? "RUN_SILENT" : "WORKER_LOST";
    event.message =
        worker.empty()
            ? "the program that was started by hand has been silent for too long"
            : fmt::format("worker '{}' and the run itself have both been silent for too long",
                          worker);
  } else if (cause == "lease") {
    event.kind = EventKind::kLeaseLost;
    event.reason = "WORKER_LOST";
    event.message = fmt::format("worker '{}' was lost", worker);
  } else {
    event.kind = EventKind::kStartOverdue;
    event.reason = "START_DEADLINE";
    event.message = fmt::format("worker '{}' did not start it by the start deadline", worker);
  }
  return event;
}

class ExpiryDuty final : public Duty {
 public:
  explicit ExpiryDuty(Signals& signals) : signals_(signals) {}
  std::string name() const override { return "expiry"; }
  absl::Duration interval() const override { return absl::Milliseconds(500); }

  absl::Status RunOnce(Session& session, const Tenure& tenure) override {
    if (tenure.undisturbed < kSettle) return absl::OkStatus();
    RETURN_IF_ERROR(Expire(session, tenure));
    return CloseOverdue(session, tenure);
  }

 private:
  // Leases, and attempts that run longer than they may: their workers stop those as on a cancel.
  absl::Status Expire(Session& session, const Tenure& tenure) {
    std::vector<Uuid> runs;
    std::vector<Uuid> workers;
    RETURN_IF_ERROR(tenure.Transact(session, [&]() -> absl::Status {
      runs.clear();
      workers.clear();
      ASSIGN_OR_RETURN(Rows gone, session.Run(queries::kExpireLeases, {}));
      for (size_t row = 0; row < gone.size(); ++row)
        spdlog::info("the lease of worker '{}' is over", gone.Text(row, 2));
      ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kTimeOutAttempts, {}));
      for (size_t row = 0; row < rows.size(); ++row) {
        runs.push_back(rows.Id(row, 0));
        workers.push_back(rows.Id(row, 1));
      }
      return absl::OkStatus();
    }));
    signals_.RunsChanged(runs);
    for (const Uuid& worker : workers) signals_.StopWanted(worker);
    return absl::OkStatus();
  }

  absl::Status CloseOverdue(Session& session, const Tenure& tenure) {
    Aftermath aftermath;
    RETURN_IF_ERROR(tenure.Transact(session, [&]() -> absl::Status {
      aftermath = {};
      ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kLockOverdue, {}));
      if (rows.empty()) return absl::OkStatus();
      std::vector<AttemptChange> changes;
      std::vector<Uuid> orphans;
      std::vector<Uuid> pools;
      for (size_t row = 0; row < rows.size(); ++row) Judge(rows, row, changes, orphans, pools);
      RETURN_IF_ERROR(ShareLimits(session, pools));
      if (!orphans.empty()) {
        RETURN_IF_ERROR(
            session.Run(queries::kMarkOrphans, Args().Array(IdArray(orphans))).status());
      }
      return WriteChanges(session, changes, aftermath);
    }));
    Signal(aftermath, signals_);
    return absl::OkStatus();
  }

  static void Judge(const Rows& rows, size_t row, std::vector<AttemptChange>& changes,
                    std::vector<Uuid>& orphans, std::vector<Uuid>& pools) {
    AttemptChange change;
    change.before = ReadHeldAttempt(rows, row);
    change.phase = change.before.state.phase;
    Decision decision =
        Decide(change.before.state, EventFor(rows.Text(row, 26), rows.Text(row, 27)));
    if (decision.orphan) orphans.push_back(change.before.run);
    if (decision.next == Next::kNone) return;
    pools.push_back(change.before.pool);
    change.end = std::move(decision);
    changes.push_back(std::move(change));
  }

  Signals& signals_;
};

}  // namespace

std::unique_ptr<Duty> MakeExpiryDuty(Signals& signals) {
  return std::make_unique<ExpiryDuty>(signals);
}

}  // namespace forebay::server
