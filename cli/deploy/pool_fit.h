#pragma once

// A deployment beside the pool that shall run it: what can be seen before anything is built or
// changed. Pure.

#include <filesystem>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cli/deploy/planned_deployment.h"
#include "forebay/v1/work_pool.pb.h"

namespace forebay::cli {

// Refuses job variables that the pool's template does not take, and code that its runs would not
// find; fills in what follows from the pool's type: a process run is on a host like this one, with
// this interpreter, and whoever deploys from a directory means that one. `here`: what relative
// paths are below. `notes` gets what was filled in, for people. INVALID_ARGUMENT
// (UNKNOWN_JOB_VARIABLE, …), FAILED_PRECONDITION (IMAGE_NOT_DECLARED, SOURCE_MISSING).
absl::Status FitToPool(const v1::WorkPool& pool, const std::filesystem::path& here,
                       PlannedDeployment& planned, std::vector<std::string>& notes);

}  // namespace forebay::cli
