#include "tests/bench/pickup.h"

#include <algorithm>

namespace forebay::bench {

void Pickup::Acknowledged(const std::string& run_id, absl::Duration sent,
                          absl::Duration acknowledged) {
  MutexLock lock(mutex_);
  Run& run = runs_[run_id];
  run.sent = sent;
  run.acknowledged = acknowledged;
}

void Pickup::Assigned(const std::string& run_id, absl::Duration now) {
  MutexLock lock(mutex_);
  Run& run = runs_[run_id];
  run.assigned = now;
  ++run.assignments;
}

Pickup::Summary Pickup::Take() {
  MutexLock lock(mutex_);
  Summary summary;
  for (const auto& [id, run] : runs_) {
    if (run.assignments > 1) ++summary.doubled;
    if (run.assignments == 0 || run.acknowledged == absl::ZeroDuration()) continue;
    const absl::Duration waited = std::max(absl::ZeroDuration(), run.assigned - run.acknowledged);
    summary.after_answer_ms.push_back(absl::ToDoubleMilliseconds(waited));
    summary.after_call_ms.push_back(absl::ToDoubleMilliseconds(run.assigned - run.sent));
  }
  runs_.clear();
  std::sort(summary.after_answer_ms.begin(), summary.after_answer_ms.end());
  std::sort(summary.after_call_ms.begin(), summary.after_call_ms.end());
  return summary;
}

double Percentile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto last = static_cast<double>(sorted.size() - 1);
  return sorted[static_cast<size_t>(share * last + 0.5)];
}

}  // namespace forebay::bench
