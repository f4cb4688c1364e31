#pragma once

// What a Job's manifest may not say, whatever a policy allows: what the API server would refuse,
// and what would let a command begin twice. Pure.

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/json/json.h"

namespace forebay {

// The place of the container that runs the command: the one named "main", else the first.
// INVALID_ARGUMENT (INVALID_JOB): there is none.
absl::StatusOr<size_t> MainContainer(const Json& manifest);

// For a manifest of the right shape. INVALID_ARGUMENT (INVALID_JOB, `field`, `value`).
absl::Status CheckManifestRules(const Json& manifest);

// Of names of labels and annotations below `field`: INVALID_ARGUMENT (INVALID_JOB) for one that is
// none, or that Forebay or Kubernetes keeps for itself.
absl::Status CheckMarkNames(const Json& marks, const std::string& field);

}  // namespace forebay
