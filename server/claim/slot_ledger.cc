#include "server/claim/slot_ledger.h"

#include <map>

#include "common/base/status.h"
#include "server/db/queries.h"
#include "server/runs/slot_counters.h"

namespace forebay::server {
namespace {

std::vector<SlotScope> ScopesOf(const Uuid& pool, const Candidate& candidate) {
  std::vector<SlotScope> scopes = {{"pool", pool}, {"queue", candidate.queue}};
  if (candidate.gated) scopes.emplace_back("deployment", candidate.deployment);
  for (const Uuid& limit : candidate.limits) scopes.emplace_back("named", limit);
  return scopes;
}

Args ScopeColumns(const std::set<SlotScope>& scopes) {
  ArrayLiteral kinds, ids;
  for (const auto& [kind, id] : scopes) {
    kinds.Text(kind);
    ids.Id(id);
  }
  return Args().Array(kinds.Take()).Array(ids.Take());
}

}  // namespace

absl::Status SlotLedger::Admit(Session& session, const Uuid& pool,
                               std::vector<Candidate>& candidates, int& dropped) {
  std::set<SlotScope> scopes;
  std::vector<std::vector<SlotScope>> takes;
  for (const Candidate& candidate : candidates) {
    takes.push_back(ScopesOf(pool, candidate));
    scopes.insert(takes.back().begin(), takes.back().end());
  }
  const Args columns = ScopeColumns(scopes);
  ASSIGN_OR_RETURN(Rows locked, session.Run(queries::kLockCounters, columns));
  if (locked.empty()) return absl::OkStatus();
  // Of its own, so that it sees what was committed while the locks were waited for.
  ASSIGN_OR_RETURN(Rows rows, session.Run(queries::kSlotsLeftOf, columns));
  for (size_t row = 0; row < rows.size(); ++row) {
    const Uuid id = rows.Id(row, 1);
    if (const auto left = rows.OptionalInt(row, 2))
      left_[{std::string(rows.Text(row, 0)), id}] = static_cast<int>(*left);
    if (rows.Bool(row, 3)) decaying_.insert(id);
  }
  const std::vector<bool> admitted = server::Admit(takes, left_);
  std::vector<Candidate> kept;
  for (size_t i = 0; i < candidates.size(); ++i) {
    if (admitted[i]) kept.push_back(std::move(candidates[i]));
  }
  dropped = static_cast<int>(candidates.size() - kept.size());
  candidates = std::move(kept);
  return absl::OkStatus();
}

std::vector<Uuid> SlotLedger::HeldLimits(const Candidate& candidate) const {
  std::vector<Uuid> held;
  for (const Uuid& limit : candidate.limits) {
    if (!decaying_.contains(limit)) held.push_back(limit);
  }
  return held;
}

absl::Status SlotLedger::Take(Session& session, const Uuid& pool,
                              const std::vector<Candidate>& candidates) const {
  std::map<SlotScope, int> taken;
  std::map<Uuid, int> decaying;
  for (const Candidate& candidate : candidates) {
    if (!candidate.granted) continue;
    for (const SlotScope& scope : ScopesOf(pool, candidate))
      decaying_.contains(scope.second) ? ++decaying[scope.second] : ++taken[scope];
  }
  if (left_.empty() || taken.empty()) return absl::OkStatus();
  RETURN_IF_ERROR(BumpCounters(session, taken));
  if (decaying.empty()) return absl::OkStatus();
  ArrayLiteral ids, deltas;
  for (const auto& [id, count] : decaying) {
    ids.Id(id);
    deltas.Int(count);
  }
  return session.Run(queries::kTakeDecaying, Args().Array(ids.Take()).Array(deltas.Take()))
      .status();
}

}  // namespace forebay::server
