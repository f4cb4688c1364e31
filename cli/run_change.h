#pragma once

// The changes that a command makes to runs that exist: cancel, retry, pause, resume, delete. One
// description for a single run, several and all that match a filter.

#include <functional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/client.h"
#include "cli/command.h"
#include "cli/session.h"
#include "forebay/v1/flow_run.pb.h"

namespace forebay::cli {

struct RunChange {
  // "cancel" and "cancelled".
  std::string verb;
  std::string done;
  // What a filter that names no state means: the states in which the change does something.
  std::vector<v1::StateType> states;
  // Changes `flowRuns/{id}`; answers the run afterwards, the new one of a retry, or one with
  // nothing but its name when it was deleted. Repeating a call that was lost changes nothing more,
  // except for a retry: each call is a request of its own.
  std::function<absl::StatusOr<v1::FlowRun>(Client&, const std::string& name)> call;
  // What to tell about it; `name` is the run that was asked for.
  std::function<std::string(const std::string& name, const v1::FlowRun& after)> sentence;
  // The change goes on after the answer: a worker has to do its part.
  std::function<bool(const v1::FlowRun& after)> goes_on;
};

// INVALID_ARGUMENT (USAGE) for options that do not parse.
absl::StatusOr<RunChange> CancelChange(Session& session, const Arguments& arguments);
RunChange RetryChange(Session& session);
RunChange PauseChange();
RunChange ResumeChange();
RunChange DeleteChange();

}  // namespace forebay::cli
