#include "server/duties/housekeeping.h"

#include "common/base/status.h"
#include "common/obs/log.h"
#include "server/db/queries.h"
#include "server/runs/cancel.h"

namespace forebay::server {
namespace {

class CollisionDuty final : public Duty {
 public:
  std::string name() const override { return "collisions"; }
  absl::Duration interval() const override { return absl::Seconds(1); }
  absl::Status RunOnce(Session& session, const Tenure& tenure) override {
    return tenure.Transact(session, [&] { return CancelCollisions(session, std::nullopt); });
  }
};

class PartitionDuty final : public Duty {
 public:
  explicit PartitionDuty(const Clock& clock) : clock_(clock) {}
  std::string name() const override { return "partitions"; }
  absl::Duration interval() const override { return absl::Hours(1); }
  absl::Status RunOnce(Session& session, const Tenure&) override {
    return EnsurePartitions(session, clock_.Now());
  }

 private:
  const Clock& clock_;
};

class CleaningDuty final : public Duty {
 public:
  std::string name() const override { return "cleaning"; }
  absl::Duration interval() const override { return absl::Minutes(1); }
  absl::Status RunOnce(Session& session, const Tenure&) override {
    RETURN_IF_ERROR(session.Run(queries::kDropOldIdempotencyKeys, {}).status());
    RETURN_IF_ERROR(session.Run(queries::kDropOldFires, {}).status());
    return session.Run(queries::kDropOldJoinTokens, {}).status();
  }
};

class StatisticsDuty final : public Duty {
 public:
  std::string name() const override { return "statistics"; }
  absl::Duration interval() const override { return absl::Seconds(1); }
  absl::Status RunOnce(Session& session, const Tenure&) override {
    ASSIGN_OR_RETURN(Rows grown, session.Run(queries::kAnalyzeOutgrownTables, {}));
    for (size_t row = 0; row < grown.size(); ++row)
      spdlog::info("table {} has outgrown its statistics and is analyzed", grown.Text(row, 0));
    return absl::OkStatus();
  }
};

class RecountDuty final : public Duty {
 public:
  explicit RecountDuty(Signals& signals) : signals_(signals) {}
  std::string name() const override { return "recount"; }
  absl::Duration interval() const override { return absl::Minutes(1); }

  absl::Status RunOnce(Session& session, const Tenure& tenure) override {
    ASSIGN_OR_RETURN(Rows pools, session.Run(queries::kLimitedPools, {}));
    for (size_t row = 0; row < pools.size(); ++row)
      RETURN_IF_ERROR(Recount(session, tenure, pools.Id(row, 0)));
    RETURN_IF_ERROR(RecountShared(session, tenure));
    return FreeStranded(session, tenure);
  }

 private:
  absl::Status Recount(Session& session, const Tenure& tenure, const Uuid& pool) {
    size_t wrong = 0;
    RETURN_IF_ERROR(tenure.Transact(session, [&]() -> absl::Status {
      RETURN_IF_ERROR(session.Run(queries::kOwnLimits, Args().Id(pool)).status());
      ASSIGN_OR_RETURN(Rows corrected, session.Run(queries::kRecountSlots, Args().Id(pool)));
      wrong = corrected.size();
      return absl::OkStatus();
    }));
    if (wrong == 0) return absl::OkStatus();
    spdlog::error("slot counters of pool {} were wrong and have been put right; please report this",
                  pool.ToString());
    signals_.WorkReady(pool);
    return absl::OkStatus();
  }

  absl::Status FreeStranded(Session& session, const Tenure& tenure) {
    std::vector<Uuid> pools;
    RETURN_IF_ERROR(tenure.Transact(session, [&]() -> absl::Status {
      pools.clear();
      ASSIGN_OR_RETURN(Rows freed, session.Run(queries::kFreeStrandedRuns, {}));
      for (size_t row = 0; row < freed.size(); ++row) pools.push_back(freed.Id(row, 0));
      return absl::OkStatus();
    }));
    for (const Uuid& pool : pools) signals_.WorkReady(pool);
    return absl::OkStatus();
  }

  static absl::Status RecountShared(Session& session, const Tenure& tenure) {
    size_t wrong = 0;
    RETURN_IF_ERROR(tenure.Transact(session, [&]() -> absl::Status {
      RETURN_IF_ERROR(session.Run(queries::kLockSharedCounters, {}).status());
      ASSIGN_OR_RETURN(Rows corrected, session.Run(queries::kRecountSharedSlots, {}));
      wrong = corrected.size();
      return absl::OkStatus();
    }));
    if (wrong > 0)
      spdlog::error("{} shared limits were miscounted and have been put right; please report this",
                    wrong);
    return absl::OkStatus();
  }

  Signals& signals_;
};

}  // namespace

absl::Status EnsurePartitions(Session& session, absl::Time now) {
  // A server whose clock is late still makes ids of the week before.
  const absl::Time first = now - absl::Hours(1);
  for (int week = 0; week <= 4; ++week) {
    const absl::Time moment = first + week * absl::Hours(24 * 7);
    RETURN_IF_ERROR(session.Run(queries::kEnsurePartition, Args().Time(moment)).status());
    RETURN_IF_ERROR(session.Run(queries::kEnsureEventPartition, Args().Time(moment)).status());
  }
  return session.Run(queries::kDropForeignEvents, {}).status();
}

std::unique_ptr<Duty> MakeCollisionDuty() { return std::make_unique<CollisionDuty>(); }
std::unique_ptr<Duty> MakePartitionDuty(const Clock& clock) {
  return std::make_unique<PartitionDuty>(clock);
}
std::unique_ptr<Duty> MakeCleaningDuty() { return std::make_unique<CleaningDuty>(); }
std::unique_ptr<Duty> MakeStatisticsDuty() { return std::make_unique<StatisticsDuty>(); }
std::unique_ptr<Duty> MakeRecountDuty(Signals& signals) {
  return std::make_unique<RecountDuty>(signals);
}

}  // namespace forebay::server
