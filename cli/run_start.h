#pragma once

// Making a flow run, and following it if asked for: shared by `deployment run` and `deploy --run`.

#include <optional>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "cli/session.h"
#include "forebay/v1/flow_run.pb.h"

namespace forebay::cli {

// Creates the run and says so; with `watch` also as FollowRun.
absl::Status StartRun(Session& session, const v1::CreateFlowRunRequest& request, bool watch,
                      std::optional<absl::Duration> timeout);

}  // namespace forebay::cli
