#pragma once

// From a typed job to what the engine is told. Pure.

#include <string>

#include "absl/status/statusor.h"
#include "common/job_spec/docker_spec.h"
#include "common/json/json.h"
#include "worker/launch/launcher.h"

namespace forebay::worker {

// What depends on the worker and not on the job.
struct CreateContext {
  std::string pool_uid;
  int preparation_lines = 0;
  // The control group to put the container in, e.g. "/forebay/<name>"; empty: the engine's own.
  std::string cgroup_parent;
};

// The body of `POST /containers/create`. INVALID_ARGUMENT (INVALID_JOB) for an `env` that cannot be
// or sets a protected name.
absl::StatusOr<Json> CreateRequest(const LaunchSpec& launch, const DockerSpec& spec,
                                   const CreateContext& context);

}  // namespace forebay::worker
