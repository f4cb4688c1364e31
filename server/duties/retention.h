#pragma once

// Old history goes: weeks of runs with their attempts and logs, weeks of events, workers long gone.
//
// A week is dropped as a whole, by its partitions, once it has been over for as long as every pool
// with runs in it wants, and none of its runs is on its way any more. Where pools differ, the
// finished runs of those that want less are deleted meanwhile, a few at a time.

#include <memory>

#include "server/duties/duty.h"

namespace forebay::server {

struct Retention {
  // For pools that say nothing of their own.
  absl::Duration runs;
  absl::Duration events;
};

std::unique_ptr<Duty> MakeRetentionDuty(const Retention& retention, const Clock& clock);

}  // namespace forebay::server
