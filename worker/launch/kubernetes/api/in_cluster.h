#pragma once

// How a Pod reaches the cluster that it runs in: by its service account.

#include <functional>
#include <string>

#include "absl/status/statusor.h"
#include "worker/launch/kubernetes/api/cluster_access.h"

namespace forebay::worker {

struct PodSurroundings {
  // Holds token, ca.crt and namespace.
  std::string account_directory = "/var/run/secrets/kubernetes.io/serviceaccount";
  // KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT; empty: not in a Pod.
  std::string host;
  std::string port;

  // Those of this process.
  static PodSurroundings Own();
};

// Whether this process runs in a Pod that has a service account's token.
bool IsInCluster(const PodSurroundings& pod);
// NOT_FOUND (KUBECONFIG_MISSING) unless IsInCluster.
absl::StatusOr<ClusterAccess> InClusterAccess(const PodSurroundings& pod);

}  // namespace forebay::worker
