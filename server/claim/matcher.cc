#include "server/claim/matcher.h"

#include <algorithm>
#include <limits>

namespace forebay::server {

void Matcher::Park(ParkedDemand demand) { parked_[demand.poll] = std::move(demand); }

bool Matcher::Leave(uint64_t poll) { return parked_.erase(poll) > 0; }

bool Matcher::Serves(const ParkedDemand& demand, const Uuid& queue) {
  return demand.queues.empty() ||
         std::find(demand.queues.begin(), demand.queues.end(), queue) != demand.queues.end();
}

int Matcher::TotalSlots() const {
  int slots = 0;
  for (const auto& [poll, demand] : parked_) slots += demand.free_slots;
  return slots;
}

int Matcher::SlotsFor(const Uuid& queue) const {
  int slots = 0;
  for (const auto& [poll, demand] : parked_) {
    if (Serves(demand, queue)) slots += demand.free_slots;
  }
  return slots;
}

std::optional<ParkedDemand> Matcher::Take(const Uuid& queue) {
  ParkedDemand* best = nullptr;
  size_t best_width = std::numeric_limits<size_t>::max();
  for (auto& [poll, demand] : parked_) {
    if (demand.free_slots <= 0 || !Serves(demand, queue)) continue;
    const size_t width =
        demand.queues.empty() ? std::numeric_limits<size_t>::max() - 1 : demand.queues.size();
    if (width >= best_width) continue;
    best = &demand;
    best_width = width;
    if (width == 1) break;
  }
  if (best == nullptr) return std::nullopt;
  --best->free_slots;
  return *best;
}

void Matcher::Close(uint64_t poll) {
  const auto it = parked_.find(poll);
  if (it != parked_.end()) it->second.free_slots = 0;
}

void Matcher::GiveBack(uint64_t poll) {
  const auto it = parked_.find(poll);
  if (it != parked_.end()) ++it->second.free_slots;
}

}  // namespace forebay::server
