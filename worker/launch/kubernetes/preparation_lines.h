#pragma once

// What a cluster does for a run before its command begins, as lines of the run's log. Pure.

#include <optional>
#include <string>

#include "worker/launch/kubernetes/digest.h"

namespace forebay::worker {

// A run of which nothing particular is told has these two lines, which every worker can write
// again: a Pod that has begun and says nothing else of its preparation had so many.
inline constexpr int64_t kUsualPreparationLines = 2;
std::string CreatedLine(const std::string& name_space, const std::string& name);
std::string ScheduledLine(const std::string& node);

// Each event of the cluster is one line at most, so that two workers that read the same events
// count the same lines. Nothing: not worth a line.
std::optional<std::string> PreparationLine(const EventDigest& event);

}  // namespace forebay::worker
