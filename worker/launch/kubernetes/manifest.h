#pragma once

// From a typed job to what the API server is told. Pure.
//
// A job is a Job and, for what must not be read from a spec, a Secret of the same name
// (LaunchSpec::name) that belongs to the Job: the launch ticket, the parameters and the configured
// `env`. A container that needs it does not begin without it.
//
// The start gate of a gated job is a scheduling gate: no node is chosen for its Pod, and the API
// server lets nobody choose one, until the gate is taken away. Every Pod that the cluster makes of
// the Job has one, so that a second Pod, which nobody lets go, never begins. (A program in the
// container that waits for the go learns of it a second later: the kubelet renews what it mounts
// once a second.)

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/job_spec/kubernetes_spec.h"
#include "common/json/json.h"
#include "worker/launch/launcher.h"

namespace forebay::worker {

// What depends on the worker and not on the job.
struct ManifestContext {
  std::string pool_uid;
};

// Whether the worker passes the start gate for it, so that it must be held back; else its program
// passes the gate itself (FOREBAY_LAUNCH_TICKET).
bool IsGated(const LaunchSpec& launch);

// The body of POST …/namespaces/{spec.name_space}/jobs. INVALID_ARGUMENT (INVALID_JOB,
// INVALID_ENV): an `env` that cannot be or sets a protected name, a command that cannot be, more
// than a Secret can hold.
absl::StatusOr<Json> JobManifest(const LaunchSpec& launch, const KubernetesSpec& spec,
                                 const ManifestContext& context);

// The body of POST …/namespaces/{spec.name_space}/secrets, for a job that JobManifest took; nothing
// when there is nothing to hide. `job_uid`: of the Job that owns it.
std::optional<Json> SecretManifest(const LaunchSpec& launch, const KubernetesSpec& spec,
                                   const ManifestContext& context, std::string_view job_uid);

}  // namespace forebay::worker
