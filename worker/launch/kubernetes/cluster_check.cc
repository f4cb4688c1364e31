#include "worker/launch/kubernetes/cluster_check.h"

#include <nlohmann/json.hpp>
#include <vector>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/base/text.h"
#include "common/job_spec/kubernetes_spec.h"
#include "common/job_template/job_template.h"
#include "common/job_template/rendered_job.h"
#include "worker/launch/kubernetes/api/kubernetes_api.h"
#include "worker/launch/kubernetes/cluster_options.h"
#include "worker/launch/kubernetes/manifest.h"

namespace forebay::worker {
namespace {

// Never pulled: the Job is not made.
constexpr char kAnyImage[] = "forebay.invalid/any:1";
constexpr char kAnyRun[] = "00000000-0000-0000-0000-000000000000";

// What is missing and can be done without, for people.
absl::StatusOr<std::string> CheckPermissions(KubernetesApi& api, const std::string& name_space) {
  std::vector<std::string> missing, dispensable;
  for (const Verb& verb : UsedVerbs()) {
    ASSIGN_OR_RETURN(const bool may, api.May(verb, name_space));
    if (may) continue;
    missing.push_back(RuleOf(verb));
    if (verb.dispensable) {
      dispensable.push_back(fmt::format("; without this it cannot {}: {}", verb.why, RuleOf(verb)));
    }
  }
  if (missing.size() == dispensable.size()) return Join(dispensable, "");
  return Error(absl::StatusCode::kPermissionDenied, "CLUSTER_PERMISSION_DENIED")
      .With("namespace", name_space)
      .Says("{} may not do all that a worker does in namespace {}; add to its Role there:\n{}",
            api.access().source, name_space, Join(missing, "\n"));
}

// As a pool with the default template makes it.
absl::StatusOr<Json> DefaultJob(const std::string& name_space) {
  ASSIGN_OR_RETURN(const JobTemplate job_template,
                   JobTemplate::Parse(DefaultJobTemplate("kubernetes")));
  const Json variables = {{"image", kAnyImage}, {"namespace", name_space}};
  ASSIGN_OR_RETURN(const RenderedJob rendered, job_template.Render(Json::object(), variables));
  ASSIGN_OR_RETURN(const KubernetesSpec spec, TypeKubernetesSpec(rendered.configuration));
  LaunchSpec launch;
  launch.run = {kAnyRun, 1};
  launch.name = InfrastructureName(launch.run.run_id, launch.run.attempt);
  launch.command = {"true"};
  launch.configuration = rendered.configuration;
  launch.cancel_grace = absl::Seconds(30);
  ManifestContext context;
  context.pool_uid = kAnyRun;
  return JobManifest(launch, spec, context);
}

absl::StatusOr<std::string> CheckNamespace(KubernetesApi& api, const std::string& name_space) {
  ASSIGN_OR_RETURN(const std::string without, CheckPermissions(api, name_space));
  ASSIGN_OR_RETURN(const Json job, DefaultJob(name_space));
  const auto warning = api.TryJob(name_space, job);
  if (!warning.ok()) {
    return Annotate(warning.status(),
                    fmt::format("namespace {} takes no Job of the default template", name_space));
  }
  if (warning->empty())
    return fmt::format("namespace {}: jobs may be created{}", name_space, without);
  return fmt::format("namespace {}: jobs may be created, but: {}{}", name_space, *warning, without);
}

}  // namespace

absl::StatusOr<std::string> CheckCluster(const ClusterOptions& options) {
  ASSIGN_OR_RETURN(ClusterAccess access, AccessOf(options, PodSurroundings::Own()));
  ASSIGN_OR_RETURN(const auto api, KubernetesApi::Make(std::move(access), SystemClock()));
  ASSIGN_OR_RETURN(const Json version, api->Version());
  std::vector<std::string> lines = {fmt::format("Kubernetes {} at {}, by {}",
                                                version.value("gitVersion", "?"),
                                                api->access().server, api->access().source)};
  for (const std::string& name_space : NamespacesOf(options, api->access())) {
    ASSIGN_OR_RETURN(std::string line, CheckNamespace(*api, name_space));
    lines.push_back(std::move(line));
  }
  return Join(lines, "\n");
}

}  // namespace forebay::worker
