#pragma once

// How long runs take from their acknowledged submission to a worker's hand, and whether each got
// there exactly once. Thread-safe: the submitter tells one side, the workers the other, in any
// order.

#include <string>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/time/time.h"
#include "common/base/sync.h"

namespace forebay::bench {

class Pickup {
 public:
  void Acknowledged(const std::string& run_id, absl::Duration sent, absl::Duration acknowledged)
      EXCLUDES(mutex_);
  void Assigned(const std::string& run_id, absl::Duration now) EXCLUDES(mutex_);

  struct Summary {
    // From the answer to the submitter, nought when the worker was faster; and from the call's
    // start.
    std::vector<double> after_answer_ms;
    std::vector<double> after_call_ms;
    // Runs handed out more than once.
    int64_t doubled = 0;
  };
  // Sorted.
  Summary Take() EXCLUDES(mutex_);

 private:
  struct Run {
    absl::Duration sent = absl::ZeroDuration();
    absl::Duration acknowledged = absl::ZeroDuration();
    absl::Duration assigned = absl::ZeroDuration();
    int assignments = 0;
  };

  Mutex mutex_;
  absl::flat_hash_map<std::string, Run> runs_ GUARDED_BY(mutex_);
};

// The value below which that share (0 to 1) of the sorted values lies; 0 when there are none.
double Percentile(const std::vector<double>& sorted, double share);

}  // namespace forebay::bench
