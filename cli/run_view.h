#pragma once

// Flow runs as people see them.

#include "cli/output/listing.h"
#include "cli/session.h"
#include "forebay/v1/flow_run.pb.h"

namespace forebay::cli {

// All of one run but its attempts and states.
Card RunCard(Session& session, const v1::FlowRun& run);
Listing RunListing();
Row RunRow(Session& session, const v1::FlowRun& run);
// Needs a run with RUN_VIEW_FULL.
Listing AttemptsOf(Session& session, const v1::FlowRun& run);
Listing StatesOf(Session& session, const v1::FlowRun& run);

// "COMPLETED", "FAILED", …; "LATE" for a waiting run that is overdue.
std::string ShownState(const v1::State& state);

}  // namespace forebay::cli
