#pragma once

// The fields of a Job that this version knows (Kubernetes 1.33), as deep as anything there decides
// about safety or the start gate. What lies deeper (affinity, probes of other containers) is passed
// on as it is, and its presence is told by name, so that a policy can be about it. Pure.

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "common/json/json.h"

namespace forebay {

// INVALID_ARGUMENT (INVALID_JOB, `field` below `where`, `value`, `nearest`, `allowed`): a field
// that is not known, has another type (null too), or is never the manifest's to say.
absl::Status CheckManifestShape(const Json& manifest, std::string_view where);

// A field that is there and about which no other field of the policy is.
struct ListedField {
  // Without list indexes and the way to the Pod: "affinity", "containers.livenessProbe".
  std::string name;
  // JSON pointer into the manifest.
  std::string pointer;
};
// In the manifest's order. For one that has the right shape.
std::vector<ListedField> ListedFields(const Json& manifest);

// What a volume can be ("hostPath", "secret", …).
bool IsVolumeKind(std::string_view name);

}  // namespace forebay
