#include "worker/engine_check.h"

#include <nlohmann/json.hpp>

#include "common/base/status.h"
#include "worker/launch/docker/engine/engine_api.h"
#include "worker/launch/kubernetes/cluster_check.h"

namespace forebay::worker {

EngineOptions EngineOptionsOf(const config::v1::WorkerConfig& config) {
  EngineOptions options;
  options.address = config.docker_host();
  options.tls_ca_file = config.docker_tls_ca_file();
  options.tls_certificate_file = config.docker_tls_certificate_file();
  options.tls_key_file = config.docker_tls_key_file();
  options.registry_credentials_file = config.registry_credentials_file();
  return options;
}

ClusterOptions ClusterOptionsOf(const config::v1::WorkerConfig& config) {
  ClusterOptions options;
  options.kubeconfig = config.kubeconfig();
  options.context = config.kubernetes_context();
  options.namespaces = {config.kubernetes_namespaces().begin(),
                        config.kubernetes_namespaces().end()};
  return options;
}

absl::StatusOr<std::string> CheckEngine(const config::v1::WorkerConfig& config) {
  if (config.type() == "kubernetes") return CheckCluster(ClusterOptionsOf(config));
  ASSIGN_OR_RETURN(const auto engine, EngineApi::Make(EngineOptionsOf(config)));
  Cancellation never;
  ASSIGN_OR_RETURN(const Json version, engine->Negotiate(never));
  ASSIGN_OR_RETURN(const Json info, engine->Info());
  return fmt::format("{} at {}, API {}, storage {}, cgroup driver {}",
                     version.value("Version", "?"), engine->address(),
                     version.value("ApiVersion", "?"), info.value("Driver", "?"),
                     info.value("CgroupDriver", "?"));
}

}  // namespace forebay::worker
