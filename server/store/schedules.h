#pragma once

// Schedules in the database. Blocking; on the caller's session, in the caller's transaction where
// it changes something.

#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/uuid.h"
#include "forebay/v1/schedule.pb.h"
#include "server/api/messages.h"
#include "server/api/update_mask.h"
#include "server/auth/caller.h"
#include "server/db/session.h"

namespace forebay::server {

struct ScheduleFilter {
  std::optional<Uuid> deployment;
  std::optional<std::string> slug;
  std::optional<std::string> pool;
  std::optional<ScheduleName> after;
};
// Each with its next `fires` fires, by the database's clock.
absl::StatusOr<std::vector<v1::Schedule>> ListSchedules(Session& session, const Uuid& team,
                                                        const ScheduleFilter& filter, int limit,
                                                        int fires);
// NOT_FOUND (SCHEDULE_NOT_FOUND, with the nearest slug).
absl::StatusOr<v1::Schedule> ReadSchedule(Session& session, const Uuid& team,
                                          const Uuid& deployment, const std::string& slug);

// Checks everything and inserts; answers the slug. ALREADY_EXISTS (SCHEDULE_EXISTS),
// INVALID_ARGUMENT as of CreateSchedule.
absl::StatusOr<std::string> InsertSchedule(Session& session, const Caller& caller, UuidSource& ids,
                                           const Uuid& deployment, const v1::Schedule& schedule);
// The fields that the mask names; NOT_FOUND.
absl::Status UpdateSchedule(Session& session, const Uuid& team, const Uuid& deployment,
                            const std::string& slug, const v1::Schedule& schedule,
                            const UpdateMask& mask);
absl::Status SetSchedulePaused(Session& session, const Uuid& deployment, const std::string& slug,
                               bool paused);
absl::Status DeleteSchedule(Session& session, const Uuid& deployment, const std::string& slug);

// The deployment was written: its schedules' runs that are not due yet are made anew. Those of the
// call are created or replaced by slug; with `replace` all others are deleted.
absl::Status ApplySchedules(Session& session, const Caller& caller, UuidSource& ids,
                            const Uuid& deployment, const std::vector<v1::Schedule>& schedules,
                            bool replace);
// All of a deployment that goes away.
absl::Status DeleteSchedules(Session& session, const Uuid& deployment);

}  // namespace forebay::server
