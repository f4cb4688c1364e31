#include "worker/launch/kubernetes/cluster_options.h"

#include <cstdlib>

#include "worker/launch/kubernetes/api/kubeconfig.h"

namespace forebay::worker {
namespace {

std::string DefaultKubeconfig() {
  const char* named = std::getenv("KUBECONFIG");
  if (named != nullptr && named[0] != '\0') return named;
  const char* home = std::getenv("HOME");
  return std::string(home == nullptr ? "" : home) + "/.kube/config";
}

}  // namespace

absl::StatusOr<ClusterAccess> AccessOf(const ClusterOptions& options, const PodSurroundings& pod) {
  if (!options.kubeconfig.empty()) return ReadKubeconfig(options.kubeconfig, options.context);
  if (options.context.empty() && IsInCluster(pod)) return InClusterAccess(pod);
  return ReadKubeconfig(DefaultKubeconfig(), options.context);
}

std::set<std::string> NamespacesOf(const ClusterOptions& options, const ClusterAccess& access) {
  if (options.namespaces.empty()) return {access.name_space};
  return {options.namespaces.begin(), options.namespaces.end()};
}

}  // namespace forebay::worker
