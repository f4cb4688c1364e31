#pragma once

// A run as the API shows it, put together from where it stands: its own row, the queue, the held
// attempts, history. Blocking; on the caller's session.

#include <optional>
#include <vector>

#include "absl/status/statusor.h"
#include "forebay/v1/flow_run.pb.h"
#include "server/db/session.h"

namespace forebay::server {

// FLOW_RUN_NOT_FOUND also for a run of another team. `view` FULL adds attempts and states.
absl::StatusOr<v1::FlowRun> ReadRun(Session& session, const Uuid& team, const Uuid& run,
                                    v1::RunView view);

// Those of the ids that are the team's runs, by id; BASIC.
absl::StatusOr<std::vector<v1::FlowRun>> ReadRuns(Session& session, const Uuid& team,
                                                  const std::vector<Uuid>& ids);

struct RunFilter {
  std::optional<Uuid> before;
  std::optional<Uuid> deployment;
  std::optional<Uuid> pool;
  std::optional<Uuid> queue;
  // Empty: any.
  std::string flow;
  // All of them.
  std::vector<std::string> tags;
  std::optional<absl::Time> made_from;
  std::optional<absl::Time> made_before;
  std::vector<v1::StateType> states;
  // Only what is overdue to start.
  bool late = false;
};
absl::StatusOr<std::vector<v1::FlowRun>> ListRuns(Session& session, const Uuid& team,
                                                  const RunFilter& filter, int limit);

}  // namespace forebay::server
