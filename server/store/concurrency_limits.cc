#include "server/store/concurrency_limits.h"

#include "common/base/status.h"
#include "common/base/text.h"
#include "server/api/messages.h"
#include "server/db/queries.h"

namespace forebay::server {
namespace {

constexpr int kMostSlots = 1'000'000;
constexpr double kMostDecay = 1000;
constexpr int kMostHolders = 100;

v1::ConcurrencyLimit ToLimit(const Rows& rows, size_t row) {
  v1::ConcurrencyLimit limit;
  limit.set_uid(std::string(rows.Text(row, 0)));
  limit.set_team(std::string(rows.Text(row, 1)));
  limit.set_name("teams/" + limit.team() + "/concurrencyLimits/" + std::string(rows.Text(row, 2)));
  limit.set_description(std::string(rows.Text(row, 3)));
  limit.set_slots(static_cast<int>(rows.Int(row, 4)));
  if (!rows.IsNull(row, 5)) limit.set_decay_per_second(rows.Double(row, 5));
  limit.set_slots_in_use(rows.Double(row, 6));
  limit.set_deployments(static_cast<int>(rows.Int(row, 7)));
  ToProto(rows.Time(row, 8), *limit.mutable_create_time());
  ToProto(rows.Time(row, 9), *limit.mutable_update_time());
  limit.set_creator(std::string(rows.Text(row, 10)));
  return limit;
}

absl::Status LimitNotFound(Session& session, const Uuid& team, const std::string& name) {
  std::vector<std::string> names;
  if (auto rows = session.Run(queries::kLimitNames, Args().Id(team)); rows.ok()) {
    for (size_t row = 0; row < rows->size(); ++row) names.emplace_back(rows->Text(row, 0));
  }
  const std::string nearest = NearestName(name, names);
  return Error(absl::StatusCode::kNotFound, "CONCURRENCY_LIMIT_NOT_FOUND")
      .Field("concurrency_limit", name)
      .With("nearest", nearest)
      .Next(fmt::format("forebay concurrency-limit create {} 1", name))
      .Says("concurrency limit '{}' does not exist{}", name,
            nearest.empty() ? "" : fmt::format("; did you mean '{}'?", nearest));
}

absl::Status OutOfRange(std::string_view field, const std::string& value,
                        std::string_view allowed) {
  return Error(absl::StatusCode::kInvalidArgument, "OUT_OF_RANGE")
      .Field(field, value)
      .With("allowed", allowed)
      .Says("{} is {}; it must be {}", field, value, allowed);
}

}  // namespace

absl::Status CheckLimit(const v1::ConcurrencyLimit& limit) {
  if (limit.slots() < 0 || limit.slots() > kMostSlots)
    return OutOfRange("slots", std::to_string(limit.slots()), "0 to 1000000");
  const bool decays = limit.has_decay_per_second();
  if (decays && !(limit.decay_per_second() > 0 && limit.decay_per_second() <= kMostDecay))
    return OutOfRange("decay_per_second", fmt::format("{}", limit.decay_per_second()),
                      "above 0, at most 1000");
  return absl::OkStatus();
}

absl::StatusOr<std::vector<v1::ConcurrencyLimit>> ListLimits(
    Session& session, const Uuid& team, const std::optional<std::string>& only,
    const std::optional<std::string>& after, int limit) {
  Args args;
  args.Id(team);
  only.has_value() ? args.Text(*only) : args.Null();
  after.has_value() ? args.Text(*after) : args.Null();
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kListLimits, args.Int(limit)));
  std::vector<v1::ConcurrencyLimit> limits;
  for (size_t row = 0; row < rows.size(); ++row) limits.push_back(ToLimit(rows, row));
  return limits;
}

absl::StatusOr<v1::ConcurrencyLimit> ReadLimit(Session& session, const Uuid& team,
                                               const std::string& name) {
  ASSIGN_OR_RETURN(auto found, ListLimits(session, team, name, std::nullopt, 1));
  if (found.empty()) return LimitNotFound(session, team, name);
  v1::ConcurrencyLimit& limit = found[0];
  const Uuid id = *Uuid::Parse(limit.uid());
  ASSIGN_OR_RETURN(Rows holders, session.Run(queries::kSlotHolders,
                                             Args().Text("named").Id(id).Int(kMostHolders)));
  for (size_t row = 0; row < holders.size(); ++row)
    limit.add_holders("flowRuns/" + std::string(holders.Text(row, 0)));
  ASSIGN_OR_RETURN(Rows waiting, session.Run(queries::kWaitingForLimit, Args().Id(id)));
  limit.set_waiting_runs(waiting.Int(0, 0));
  return limit;
}

absl::StatusOr<Uuid> FindLimit(Session& session, const Uuid& team, const std::string& name) {
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kFindLimit, Args().Id(team).Text(name)));
  if (rows.empty()) return LimitNotFound(session, team, name);
  return rows.Id(0, 0);
}

absl::Status InsertLimit(Session& session, const Caller& caller, const Uuid& id,
                         const v1::ConcurrencyLimit& limit, const std::string& name) {
  Args args;
  args.Id(id).Text(name).Text(limit.description()).Int(limit.slots());
  limit.has_decay_per_second() ? args.Double(limit.decay_per_second()) : args.Null();
  const auto inserted = session.Run(queries::kInsertLimit, args.Id(caller.team).Id(caller.user));
  if (!absl::IsAlreadyExists(inserted.status())) return inserted.status();
  return Error(absl::StatusCode::kAlreadyExists, "CONCURRENCY_LIMIT_EXISTS")
      .Field("concurrency_limit", name)
      .Next(fmt::format("forebay concurrency-limit update {} --slots {}", name, limit.slots()))
      .Says("concurrency limit '{}' exists already", name);
}

absl::Status UpdateLimit(Session& session, const Uuid& id, const v1::ConcurrencyLimit& limit,
                         const UpdateMask& mask) {
  return InTransaction(session, [&]() -> absl::Status {
    // Grants under way read the limit under this lock; later ones see what is written here.
    ArrayLiteral kinds, ids;
    kinds.Text("named");
    ids.Id(id);
    RETURN_IF_ERROR(
        session.Run(queries::kLockCounters, Args().Array(kinds.Take()).Array(ids.Take())).status());
    Args args;
    args.Id(id).Bool(mask.Names("description")).Text(limit.description());
    args.Bool(mask.Names("slots")).Int(limit.slots()).Bool(mask.Names("decay_per_second"));
    limit.has_decay_per_second() ? args.Double(limit.decay_per_second()) : args.Null();
    ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kUpdateLimit, args));
    if (!rows.empty()) return absl::OkStatus();
    return Error(absl::StatusCode::kFailedPrecondition, "DECAY_FIXED")
        .Field("decay_per_second",
               limit.has_decay_per_second() ? fmt::format("{}", limit.decay_per_second()) : "none")
        .Next("forebay concurrency-limit create <name> <slots> --decay-per-second <rate>")
        .Says("whether the slots of a limit decay is fixed when it is created");
  });
}

absl::Status DeleteLimit(Session& session, const Uuid& id, const std::string& name) {
  return InTransaction(session, [&]() -> absl::Status {
    ASSIGN_OR_RETURN(Rows users, session.Run(queries::kLimitUsers, Args().Id(id)));
    if (users.empty()) return session.Run(queries::kDeleteLimit, Args().Id(id)).status();
    return Error(absl::StatusCode::kFailedPrecondition, "CONCURRENCY_LIMIT_IN_USE")
        .Field("concurrency_limit", name)
        .Next(fmt::format("forebay deployment update {} --no-limits", users.Text(0, 0)))
        .Says("concurrency limit '{}' is used by deployment '{}'{}", name, users.Text(0, 0),
              users.size() > 1 ? " and others" : "");
  });
}

absl::StatusOr<std::vector<Uuid>> PoolsOfLimit(Session& session, const Uuid& id) {
  ASSIGN_OR_RETURN(Rows rows,
                   session.Run(queries::kPoolsOfLimits, Args().Array(IdArray(std::span(&id, 1)))));
  std::vector<Uuid> pools;
  for (size_t row = 0; row < rows.size(); ++row) pools.push_back(rows.Id(row, 0));
  return pools;
}

}  // namespace forebay::server
