#pragma once

// Which cluster the worker's options mean, and where in it.

#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "worker/launch/kubernetes/api/cluster_access.h"
#include "worker/launch/kubernetes/api/in_cluster.h"
#include "worker/launch/launcher.h"

namespace forebay::worker {

// The kubeconfig that the options name; else the Pod's own cluster; else the file of $KUBECONFIG,
// or
// ~/.kube/config. INVALID_ARGUMENT (INVALID_KUBECONFIG), NOT_FOUND (KUBECONFIG_MISSING).
absl::StatusOr<ClusterAccess> AccessOf(const ClusterOptions& options, const PodSurroundings& pod);
// The options' namespaces, or the context's own when they name none.
std::set<std::string> NamespacesOf(const ClusterOptions& options, const ClusterAccess& access);

}  // namespace forebay::worker
