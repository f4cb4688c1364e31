#include "server/runs/slot_counters.h"

#include "server/db/queries.h"

namespace forebay::server {

absl::Status ShareLimits(Session& session, const std::vector<Uuid>& pools) {
  return session.Run(queries::kShareLimits, Args().Array(IdArray(pools))).status();
}

absl::Status BumpCounters(Session& session, const std::map<SlotScope, int>& deltas) {
  ArrayLiteral kinds, ids, columns;
  for (const auto& [scope, delta] : deltas) {
    kinds.Text(scope.first);
    ids.Id(scope.second);
    columns.Int(delta);
  }
  return session
      .Run(queries::kBumpCounters,
           Args().Array(kinds.Take()).Array(ids.Take()).Array(columns.Take()))
      .status();
}

}  // namespace forebay::server
