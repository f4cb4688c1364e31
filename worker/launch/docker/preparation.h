#pragma once

// Stage 5 of a container: from a typed job to a container that is created and has not begun. Takes
// as long as its image takes to come; can be cancelled at any moment.

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "common/base/clock.h"
#include "common/job_spec/docker_spec.h"
#include "worker/launch/docker/create_request.h"
#include "worker/launch/docker/engine/engine_api.h"
#include "worker/launch/launcher.h"

namespace forebay::worker {

struct PreparationParts {
  EngineApi& engine;
  const Clock& clock;
  // X-Registry-Auth; empty: none.
  std::string registry_auth;
  // Lines for the run's log, and how many there have been.
  std::function<void(std::string_view)> say;
  std::function<int()> said;
};

// Pulls the image as the policy says, creates the container, joins its networks. OK also when a
// container of this name and attempt is there already, from a create whose answer was lost. On an
// error there is none. Reasons as of forebay.v1.LaunchFailed; those that may go well later are
// UNAVAILABLE. CANCELLED.
absl::Status Prepare(const PreparationParts& parts, const LaunchSpec& launch,
                     const DockerSpec& spec, CreateContext context, Cancellation& cancellation);

}  // namespace forebay::worker
