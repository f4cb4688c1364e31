#pragma once

// Images of deployments: checked first, then built and pushed, each one once however many
// deployments share it. The Docker engine is asked by the Python package.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "cli/deploy/planned_deployment.h"

namespace forebay::cli {

// Gives the deployments that have an image its full name as job variable `image`, and the place of
// their code in it; paths are relative to `directory`. Nothing is built. INVALID_ARGUMENT with the
// reasons of the Python package (INVALID_IMAGE, DOCKERFILE_NOT_FOUND, DOCKERFILE_EXISTS,
// ENTRYPOINT_NOT_IN_IMAGE, UNKNOWN_CONFIG_KEY).
absl::Status PlaceInImages(const std::string& directory, std::vector<PlannedDeployment>& planned);

// Builds and pushes what PlaceInImages has settled. INVALID_ARGUMENT: ENGINE_UNREACHABLE,
// IMAGE_BUILD_FAILED, IMAGE_PUSH_FAILED.
absl::Status MakeImages(const std::string& directory,
                        const std::vector<PlannedDeployment>& planned);

}  // namespace forebay::cli
