#pragma once

// `build`, `push` and `pull` of forebay.yaml: what becomes of a Python flow's code between here and
// where it runs. Pure.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cli/deploy/planned_deployment.h"
#include "common/json/json.h"

namespace forebay::cli {

const std::vector<std::string>& FlowStepKeys();
bool IsFlowStep(const std::string& key);

// `build`: the name of an image, or an object with `image` and options of a build; `push`: true
// (the default) or false; `pull`: the list of pull steps. What the entry does not say, `defaults`
// says; null says: none. INVALID_ARGUMENT (INVALID_CONFIG_VALUE), also for an entry that says one
// of them and is no Python flow.
absl::Status SetFlowSteps(const std::string& where, const Json& entry, const Json& defaults,
                          PlannedDeployment& planned);

}  // namespace forebay::cli
