#pragma once

// What a submitter is told of a run that was just written, without reading it back. Pure.

#include <optional>

#include "absl/time/time.h"
#include "forebay/v1/flow_run.pb.h"
#include "server/submit/submission.h"

namespace forebay::server {

// What the database decided, by its clock.
struct Written {
  absl::Time made_at;
  absl::Time due_at;
  // Granted in the same commit.
  std::optional<absl::Time> granted_at;
};

// The run as GetFlowRun would have answered it at that moment, basic view, but for the reason of
// waiting.
v1::FlowRun Receipt(const Submission& submission, const Written& written);

}  // namespace forebay::server
