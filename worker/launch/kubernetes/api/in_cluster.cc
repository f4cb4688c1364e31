#include "worker/launch/kubernetes/api/in_cluster.h"

#include <cstdlib>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/os/files.h"

namespace forebay::worker {
namespace {

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

}  // namespace

PodSurroundings PodSurroundings::Own() {
  PodSurroundings pod;
  pod.host = Variable("KUBERNETES_SERVICE_HOST");
  pod.port = Variable("KUBERNETES_SERVICE_PORT");
  return pod;
}

bool IsInCluster(const PodSurroundings& pod) {
  return !pod.host.empty() && !pod.port.empty() && FileExists(pod.account_directory + "/token");
}

absl::StatusOr<ClusterAccess> InClusterAccess(const PodSurroundings& pod) {
  if (!IsInCluster(pod)) {
    return Error(absl::StatusCode::kNotFound, "KUBECONFIG_MISSING")
        .Field("kubeconfig", "")
        .Says("this process runs in no Pod with a service account");
  }
  ClusterAccess access;
  const bool ipv6 = pod.host.find(':') != std::string::npos;
  const std::string host = ipv6 ? "[" + pod.host + "]" : pod.host;
  access.server = fmt::format("https://{}:{}", host, pod.port);
  access.authority.file = pod.account_directory + "/ca.crt";
  access.user.token_file = pod.account_directory + "/token";
  const auto name_space = ReadSmallFile(pod.account_directory + "/namespace");
  access.name_space = name_space.ok() ? std::string(Trim(*name_space)) : "default";
  access.source = "the service account of this Pod";
  return access;
}

}  // namespace forebay::worker
