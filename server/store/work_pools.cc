#include "server/store/work_pools.h"

#include <algorithm>

#include "common/base/status.h"
#include "server/api/messages.h"
#include "server/db/queries.h"
#include "server/runs/cancel.h"
#include "server/store/snapshots.h"

namespace forebay::server {
namespace {

struct Bounds {
  std::string_view field;
  absl::Duration least;
  absl::Duration most;
};

absl::Status CheckTimeout(bool present, const google::protobuf::Duration& value,
                          const Bounds& bounds) {
  return present ? CheckDuration(bounds.field, value, bounds.least, bounds.most) : absl::OkStatus();
}

void AddTimeouts(const v1::PoolTimeouts& timeouts, Args& args) {
  const auto add = [&](bool present, const google::protobuf::Duration& value) {
    present ? args.Int(absl::ToInt64Milliseconds(FromProto(value))) : args.Null();
  };
  add(timeouts.has_lease_ttl(), timeouts.lease_ttl());
  add(timeouts.has_start_deadline(), timeouts.start_deadline());
  add(timeouts.has_cancel_grace(), timeouts.cancel_grace());
  add(timeouts.has_crash_after(), timeouts.crash_after());
  add(timeouts.has_late_after(), timeouts.late_after());
}

void AddRetention(const v1::WorkPool& pool, Args& args) {
  pool.has_retention() ? args.Int(absl::ToInt64Milliseconds(FromProto(pool.retention())))
                       : args.Null();
}

std::string WorkersText(int count) {
  return fmt::format("{} worker{} online", count, count == 1 ? "" : "s");
}

// `ready`: workers that can launch; `obstacle`: why the others cannot.
void SetStatus(v1::WorkPool& pool, int64_t ready, std::string_view obstacle) {
  if (pool.paused()) {
    pool.set_status(v1::POOL_STATUS_PAUSED);
    pool.set_status_reason("paused by an operator");
  } else if (pool.online_workers() == 0) {
    pool.set_status(v1::POOL_STATUS_NOT_READY);
    pool.set_status_reason("no worker is online");
  } else if (ready == 0) {
    pool.set_status(v1::POOL_STATUS_NOT_READY);
    pool.set_status_reason(
        fmt::format("{}, none can launch: {}", WorkersText(pool.online_workers()), obstacle));
  } else {
    pool.set_status(v1::POOL_STATUS_READY);
    pool.set_status_reason(WorkersText(pool.online_workers()));
    if (ready < pool.online_workers()) {
      *pool.mutable_status_reason() +=
          fmt::format(", {} cannot launch: {}", pool.online_workers() - ready, obstacle);
    }
  }
}

v1::WorkPool ToPool(const Rows& rows, size_t row) {
  v1::WorkPool pool;
  pool.set_uid(std::string(rows.Text(row, 0)));
  pool.set_name("workPools/" + std::string(rows.Text(row, 1)));
  pool.set_type(std::string(rows.Text(row, 2)));
  pool.set_description(std::string(rows.Text(row, 3)));
  pool.set_base_job_template(std::string(rows.Text(row, 4)));
  if (const auto limit = rows.OptionalInt(row, 5))
    pool.set_concurrency_limit(static_cast<int>(*limit));
  pool.set_paused(rows.Bool(row, 6));
  const auto timeout = [&](int column, auto&& field) {
    if (const auto ms = rows.OptionalInt(row, column)) ToProto(absl::Milliseconds(*ms), *field());
  };
  v1::PoolTimeouts& timeouts = *pool.mutable_timeouts();
  timeout(7, [&] { return timeouts.mutable_lease_ttl(); });
  timeout(8, [&] { return timeouts.mutable_start_deadline(); });
  timeout(9, [&] { return timeouts.mutable_cancel_grace(); });
  timeout(10, [&] { return timeouts.mutable_crash_after(); });
  timeout(22, [&] { return timeouts.mutable_late_after(); });
  timeout(23, [&] { return pool.mutable_retention(); });
  pool.set_revision(rows.Int(row, 11));
  ToProto(rows.Time(row, 12), *pool.mutable_create_time());
  ToProto(rows.Time(row, 13), *pool.mutable_update_time());
  pool.set_creator(std::string(rows.Text(row, 14)));
  pool.set_team(std::string(rows.Text(row, 15)));
  pool.set_held_attempts(rows.Int(row, 16));
  pool.set_online_workers(static_cast<int>(rows.Int(row, 17)));
  pool.set_queued_runs(rows.Int(row, 18));
  pool.set_policy(std::string(rows.Text(row, 19)));
  SetStatus(pool, rows.Int(row, 20), rows.Text(row, 21));
  return pool;
}

absl::Status HasRuns(const std::string& name, int64_t held, int64_t queued) {
  return Error(absl::StatusCode::kFailedPrecondition, "POOL_HAS_RUNS")
      .Field("work_pool", name)
      .Next(held > 0 ? fmt::format("forebay flow-run ls --pool {}", name)
                     : fmt::format("forebay work-pool delete {} --force", name))
      .Says("work pool '{}' has {} running and {} waiting runs", name, held, queued);
}

absl::Status CancelWaiting(Session& session, const Uuid& pool) {
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kQueuedOfPool, Args().Id(pool)));
  std::vector<Uuid> runs;
  for (size_t row = 0; row < rows.size(); ++row) runs.push_back(rows.Id(row, 0));
  return CancelQueued(session, runs, "cancelled because its work pool was deleted");
}

}  // namespace

absl::Status CheckPool(const v1::WorkPool& pool) {
  if (pool.has_concurrency_limit() && pool.concurrency_limit() < 0) {
    return Error(absl::StatusCode::kInvalidArgument, "OUT_OF_RANGE")
        .Field("concurrency_limit", std::to_string(pool.concurrency_limit()))
        .Says("concurrency_limit is {}; it must be 0 or more", pool.concurrency_limit());
  }
  const v1::PoolTimeouts& t = pool.timeouts();
  const auto day = absl::Hours(24);
  RETURN_IF_ERROR(
      CheckTimeout(pool.has_retention(), pool.retention(), {"retention", day, 3650 * day}));
  RETURN_IF_ERROR(CheckTimeout(t.has_lease_ttl(), t.lease_ttl(),
                               {"lease_ttl", absl::Seconds(2), absl::Minutes(10)}));
  RETURN_IF_ERROR(CheckTimeout(t.has_start_deadline(), t.start_deadline(),
                               {"start_deadline", absl::Seconds(1), day}));
  RETURN_IF_ERROR(CheckTimeout(t.has_cancel_grace(), t.cancel_grace(),
                               {"cancel_grace", absl::ZeroDuration(), absl::Hours(1)}));
  RETURN_IF_ERROR(
      CheckTimeout(t.has_late_after(), t.late_after(), {"late_after", absl::Seconds(1), day}));
  const absl::Duration lease = t.has_lease_ttl() ? FromProto(t.lease_ttl()) : absl::Seconds(15);
  return CheckTimeout(t.has_crash_after(), t.crash_after(), {"crash_after", lease, day});
}

absl::StatusOr<std::vector<v1::WorkPool>> ListPools(Session& session,
                                                    const std::optional<std::string>& only,
                                                    const std::optional<std::string>& after,
                                                    int limit) {
  Args args;
  only.has_value() ? args.Text(*only) : args.Null();
  after.has_value() ? args.Text(*after) : args.Null();
  args.Int(limit);
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kListPools, args));
  std::vector<v1::WorkPool> pools;
  for (size_t row = 0; row < rows.size(); ++row) pools.push_back(ToPool(rows, row));
  return pools;
}

absl::StatusOr<v1::WorkPool> ReadPool(Session& session, const std::string& name) {
  ASSIGN_OR_RETURN(auto pools, ListPools(session, name, std::nullopt, 1));
  if (pools.empty()) return PoolNotFound(session, name);
  return pools[0];
}

absl::StatusOr<LockedPool> LockPool(Session& session, const std::string& name) {
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kLockPool, Args().Text(name)));
  if (rows.empty()) return PoolNotFound(session, name);
  return LockedPool{rows.Id(0, 0), std::string(rows.Text(0, 1))};
}

absl::Status SetCounter(Session& session, const Uuid& pool, std::string_view kind, const Uuid& id,
                        bool limited) {
  // Waits for the grants and releases under way; later ones see the new limit.
  RETURN_IF_ERROR(session.Run(queries::kOwnLimits, Args().Id(pool)).status());
  return session
      .Run(limited ? queries::kStartCounter : queries::kStopCounter, Args().Text(kind).Id(id))
      .status();
}

absl::Status InsertPool(Session& session, const Caller& caller, UuidSource& ids,
                        const v1::WorkPool& pool, const std::string& name) {
  const Uuid id = ids.Next();
  Args args;
  args.Id(id).Text(name).Text(pool.type()).Text(pool.description()).Text(pool.base_job_template());
  pool.has_concurrency_limit() ? args.Int(pool.concurrency_limit()) : args.Null();
  AddTimeouts(pool.timeouts(), args);
  args.Id(caller.team).Id(caller.user).Text(pool.policy());
  AddRetention(pool, args);
  RETURN_IF_ERROR(session.Run(queries::kInsertPool, args).status());
  if (pool.has_concurrency_limit()) RETURN_IF_ERROR(SetCounter(session, id, "pool", id, true));
  return session
      .Run(queries::kInsertQueue, Args()
                                      .Id(ids.Next())
                                      .Id(id)
                                      .Text("default")
                                      .Text("")
                                      .Int(1)
                                      .Null()
                                      .Id(caller.team)
                                      .Id(caller.user))
      .status();
}

absl::Status UpdatePool(Session& session, const Uuid& id, const v1::WorkPool& pool,
                        const std::vector<std::string>& mask) {
  const auto named = [&](std::string_view path) {
    return std::find(mask.begin(), mask.end(), path) != mask.end();
  };
  Args args;
  args.Id(id).Bool(named("description")).Text(pool.description());
  args.Bool(named("base_job_template")).Text(pool.base_job_template());
  args.Bool(named("concurrency_limit"));
  pool.has_concurrency_limit() ? args.Int(pool.concurrency_limit()) : args.Null();
  args.Bool(named("timeouts"));
  AddTimeouts(pool.timeouts(), args);
  args.Bool(named("policy")).Text(pool.policy());
  args.Bool(named("retention"));
  AddRetention(pool, args);
  if (named("concurrency_limit")) {
    RETURN_IF_ERROR(SetCounter(session, id, "pool", id, pool.has_concurrency_limit()));
  }
  return session.Run(queries::kUpdatePool, args).status();
}

absl::Status DeletePool(Session& session, const Uuid& id, const std::string& name, bool force) {
  RETURN_IF_ERROR(session.Run(queries::kOwnLimits, Args().Id(id)).status());
  ASSIGN_OR_RETURN(Rows needs, session.Run(queries::kPoolNeeds, Args().Id(id)));
  const int64_t held = needs.Int(0, 0);
  const int64_t queued = needs.Int(0, 1);
  if (held > 0 || (queued > 0 && !force)) return HasRuns(name, held, queued);
  if (needs.Int(0, 2) > 0 && !force) {
    return Error(absl::StatusCode::kFailedPrecondition, "POOL_HAS_DEPLOYMENTS")
        .Field("work_pool", name)
        .Next(fmt::format("forebay work-pool delete {} --force", name))
        .Says("work pool '{}' is used by {} deployments", name, needs.Int(0, 2));
  }
  if (queued > 0) RETURN_IF_ERROR(CancelWaiting(session, id));
  return session.Run(queries::kDeletePool, Args().Id(id)).status();
}

}  // namespace forebay::server
