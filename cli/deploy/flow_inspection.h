#pragma once

// What the Python package tells of a flow, so that it can be deployed from here.

#include <string>

#include "absl/status/statusor.h"
#include "cli/deploy/planned_deployment.h"

namespace forebay::cli {

struct InspectedFlow {
  std::string name;
  // Path of the interpreter that imported it.
  std::string interpreter;
  std::string description;
  std::string version;
  // JSON.
  std::string parameter_schema;
  v1::RetryPolicy retry;
  // 0: none.
  double timeout_seconds = 0;
};

// Imports `file.py:function` in `directory` (empty: here). What the file prints goes to standard
// error. INVALID_ARGUMENT: NOT_A_FLOW, IMPORT_FAILED, … as the package says; FAILED_PRECONDITION
// (PYTHON_PACKAGE_MISSING).
absl::StatusOr<InspectedFlow> InspectFlow(const std::string& entrypoint,
                                          const std::string& directory);

// Gives the deployment what its flow says and it does not say itself. Its name so far is that of
// the deployment alone. Pure.
void CompleteFromFlow(const InspectedFlow& flow, PlannedDeployment& planned);

}  // namespace forebay::cli
