#pragma once

// Whether runs can be launched in a cluster, and what stands in the way; for `forebay doctor`.

#include <string>

#include "absl/status/statusor.h"
#include "worker/launch/launcher.h"

namespace forebay::worker {

// Some lines about the cluster and each namespace. Errors as of KubernetesApi and AccessOf;
// PERMISSION_DENIED (CLUSTER_PERMISSION_DENIED) naming every rule that a Role lacks; and what the
// API server says against a Job of the default template.
absl::StatusOr<std::string> CheckCluster(const ClusterOptions& options);

}  // namespace forebay::worker
