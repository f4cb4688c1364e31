#pragma once

// The environment of a job's container: what of it stands in the Job for all to read, and what in
// its Secret. Pure.

#include <map>
#include <string>

#include "absl/status/statusor.h"
#include "common/job_spec/kubernetes_spec.h"
#include "common/json/json.h"
#include "worker/launch/launcher.h"

namespace forebay::worker {

struct PodEnvironment {
  // The container's `env`. Of one name the last entry holds, and a value may be made of those
  // before it: first what Forebay says of the run, then what the manifest's container has, then the
  // rest.
  Json entries;
  // Keys and values of the Secret.
  std::map<std::string, std::string> secret;
};

// Of the launcher's variables < those of the manifest's container < `env` of the configuration, in
// which null takes a name away. All values arrive as they are: "$(NAME)" is not replaced in what
// comes from Forebay. INVALID_ARGUMENT (INVALID_ENV, INVALID_JOB): an `env` that cannot be or sets
// a protected name.
absl::StatusOr<PodEnvironment> PodEnvironmentOf(const LaunchSpec& launch,
                                                const KubernetesSpec& spec);

// `text` in a field in which Kubernetes replaces "$(NAME)", so that it arrives as it is.
std::string LiteralText(const std::string& text);

}  // namespace forebay::worker
