#pragma once

// A kubeconfig file, as kubectl has them.

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "worker/launch/kubernetes/api/cluster_access.h"

namespace forebay::worker {

// What the text says of the context; empty: the current one. `path`: of the file, for messages, and
// its directory is where relative paths begin. Pure.
//
// INVALID_ARGUMENT (INVALID_KUBECONFIG, `field`): no YAML, a name that leads nowhere, or something
// that this client does not do: insecure-skip-tls-verify, plain http beyond loopback, proxies,
// impersonation, passwords, auth-provider, interactive exec programs.
absl::StatusOr<ClusterAccess> ParseKubeconfig(std::string_view text, const std::string& path,
                                              const std::string& context);

// The same of a file. `path`: as KUBECONFIG has it; several files with colons between are merged as
// far as each cluster, user and context stands in one of them: the first that has the name wins,
// and so does the first current-context. NOT_FOUND (KUBECONFIG_MISSING) when there is no such file.
absl::StatusOr<ClusterAccess> ReadKubeconfig(const std::string& path, const std::string& context);

}  // namespace forebay::worker
