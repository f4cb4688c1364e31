#pragma once

// The steps of a run's life, derived from its attempts: every step has its time in a row that was
// written anyway, so no table of states is kept. Pure but for the Rows.

#include "forebay/v1/flow_run.pb.h"
#include "server/db/session.h"

namespace forebay::server {

// A row of read_attempts.
v1::Attempt ReadEndedAttempt(const Rows& rows, size_t row);
// Fills `run.states` from its attempts and its current state, oldest first.
void AddStates(v1::FlowRun& run);

}  // namespace forebay::server
