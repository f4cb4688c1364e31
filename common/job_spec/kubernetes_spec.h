#pragma once

// The job configuration of a kubernetes pool, typed. Pure.
//
// The server reads it to refuse what cannot be launched and to decide the pool's policy; the worker
// launches from it.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "absl/status/statusor.h"
#include "common/json/json.h"

namespace forebay {

struct KubernetesSpec {
  // For people; empty: none given.
  std::string display_name;
  std::map<std::string, std::string> labels;
  std::map<std::string, std::string> annotations;
  // Instead of the deployment's command; empty: none given.
  std::vector<std::string> command;
  // Where the Job is made.
  std::string name_space;
  // A complete batch/v1 Job as the template rendered it: image names in full, backoffLimit 0 and
  // restartPolicy Never written out, `image_pull_secrets` added; without what a launcher adds.
  // Shapes are checked: whoever reads it needs no type checks for what kubernetes_schema.h knows.
  Json manifest;
  // The container that runs the command: the one named "main", else the first. Its place in
  // /spec/template/spec/containers, and its name.
  size_t main_index = 0;
  std::string main_container;
  bool stream_output = true;
  // Seconds that the Job stays after its end. Absent: it is removed when its outcome is known.
  std::optional<int64_t> finished_job_ttl;
  // How long what may still come (a node, an image) is waited for.
  int64_t pod_watch_timeout_seconds = 600;
};

// Reads every key of the configuration but `env` (environment.h), which must be an object or null.
// INVALID_ARGUMENT (INVALID_JOB, `field` as job_manifest.spec.template.spec.containers.0.image,
// `value`, often `nearest` and `allowed`): a key or a field of the manifest that means nothing, a
// wrong type, no manifest or one that is no batch/v1 Job, no image or one that is no reference, a
// name or a quantity that is none, and whatever the launcher decides itself or would break the
// start gate (retries, restarts, parallelism, a node by name, names and labels of Forebay's own,
// another run's Secret).
absl::StatusOr<KubernetesSpec> TypeKubernetesSpec(const Json& configuration);

}  // namespace forebay
