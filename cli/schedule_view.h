#pragma once

// Schedules as they are shown by `schedule` and `deployment inspect`.

#include "cli/answer.h"
#include "cli/output/listing.h"
#include "cli/session.h"
#include "forebay/v1/schedule.pb.h"

namespace forebay::cli {

// A table without rows, and one row of it. Columns: deployment, slug, rule, zone, state, next fire,
// problem.
Listing ScheduleListing();
Row ScheduleRow(Session& session, const v1::Schedule& schedule);
Card ScheduleCard(Session& session, const v1::Schedule& schedule);
// The fires to come, in the schedule's zone and from now.
Listing NextFires(Session& session, const v1::Schedule& schedule);

// "2026-12-01 08:00:00 (in 3 h)" in the local zone; RFC 3339 with --time iso and csv. Empty when
// not set.
std::string WhenLocal(Session& session, const google::protobuf::Timestamp& stamp);

}  // namespace forebay::cli
