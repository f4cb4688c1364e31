#include "server/queue/low_water_mark.h"

#include <span>

namespace forebay::server {
namespace {

int Found(const ClaimWalk& walk) {
  int found = 0;
  for (const QueueWalk& queue : walk.queues) found += queue.found;
  return found;
}

// Queues behind the one that filled the claim were not looked at.
std::span<const QueueWalk> Reached(const ClaimWalk& walk) {
  size_t reached = walk.queues.size();
  if (Found(walk) >= walk.total)
    while (reached > 0 && walk.queues[reached - 1].found == 0) --reached;
  return {walk.queues.data(), reached};
}

// Up to where nothing waits any more, as far as this claim could see.
absl::Time End(const ClaimWalk& walk, const QueueWalk& queue, bool cut_off) {
  const absl::Time newest = walk.as_of - LowWaterMarks::kOverlap;
  if (queue.left > 0) return std::min(queue.first, newest);
  const bool more_behind = cut_off || queue.found >= queue.most;
  return more_behind ? std::min(queue.last, newest) : newest;
}

}  // namespace

std::optional<absl::Time> LowWaterMarks::From(const Uuid& queue, absl::Duration now) const {
  const auto it = marks_.find(queue);
  if (it == marks_.end() || it->second.Rested(now)) return std::nullopt;
  const Mark& mark = it->second;
  if (mark.use == Use::kNotYet || mark.use == Use::kNoHelp) return std::nullopt;
  return mark.at;
}

std::vector<LowWaterMarks::Place> LowWaterMarks::InUse() const {
  std::vector<Place> places;
  for (const auto& [queue, mark] : marks_) {
    if (mark.use == Use::kTried || mark.use == Use::kUsed) places.push_back({queue, mark.at});
  }
  return places;
}

void LowWaterMarks::WalkedWhole(const QueueWalk& queue, absl::Time end, absl::Duration cost,
                                absl::Duration now) {
  const auto it = marks_.find(queue.queue);
  if (it == marks_.end()) {
    if (cost > kDear) marks_[queue.queue] = {end, cost, now};
    return;
  }
  Mark& mark = it->second;
  // Full before it came to the mark, it has not seen what makes a walk dear.
  if (queue.found > 0 && end < mark.at) cost = std::max(cost, mark.cost);
  if (cost <= kDear) {
    marks_.erase(it);
    return;
  }
  mark.at = end;
  if (mark.use == Use::kNoHelp && !mark.Rested(now)) return;
  if (mark.use != Use::kUsed) mark.use = Use::kTried;
  mark.cost = cost;
  mark.since = now;
}

void LowWaterMarks::WalkedFromMark(const Uuid& queue, absl::Time end,
                                   std::optional<absl::Duration> cost, absl::Duration now) {
  const auto it = marks_.find(queue);
  if (it == marks_.end()) return;
  Mark& mark = it->second;
  mark.at = end;
  if (mark.use != Use::kTried || !cost.has_value()) return;
  mark.use = *cost * 2 <= mark.cost ? Use::kUsed : Use::kNoHelp;
  if (mark.use == Use::kNoHelp) mark.since = now;
}

void LowWaterMarks::Committed(const ClaimWalk& walk, absl::Duration now) {
  const std::span<const QueueWalk> reached = Reached(walk);
  const int found = Found(walk);
  const absl::Duration cost = walk.took - kPerRun * found;
  bool whole = false;
  for (const QueueWalk& queue : reached) whole |= !queue.from.has_value();
  for (const QueueWalk& queue : reached) {
    const bool cut_off = found >= walk.total && &queue == &reached.back();
    const absl::Time end = End(walk, queue, cut_off);
    if (!queue.from.has_value()) {
      WalkedWhole(queue, end, cost, now);
    } else {
      // The cost of a claim of both kinds says nothing about the marks.
      WalkedFromMark(queue.queue, end, whole ? std::nullopt : std::optional(cost), now);
    }
  }
}

std::optional<absl::Duration> LowWaterMarks::NextWholeWalkIn(const ClaimWalk& walk,
                                                             absl::Duration now) const {
  std::optional<absl::Duration> next;
  for (const QueueWalk& queue : walk.queues) {
    if (!queue.from.has_value()) continue;
    absl::Duration in = absl::ZeroDuration();
    if (From(queue.queue, now).has_value()) {
      const Mark& mark = marks_.at(queue.queue);
      in = mark.since + mark.Rest() - now;
    }
    next = std::min(next.value_or(in), in);
  }
  return next;
}

}  // namespace forebay::server
