#pragma once

// The job configuration of a docker pool, typed. Pure.
//
// The server reads it to refuse what cannot be launched and to decide the pool's policy; the worker
// launches from it. What it does not say, the engine is not told.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/job_spec/image_reference.h"
#include "common/json/json.h"

namespace forebay {

enum class PullPolicy { kIfNotPresent, kAlways, kNever, kIfPossible };

struct VolumeMount {
  // An absolute path of the engine's host, or the name of a volume.
  std::string source;
  bool host_path = false;
  // Absolute path in the container.
  std::string target;
  bool read_only = false;

  // As it was written: source:target[:ro].
  std::string ToString() const;
};

struct DockerSpec {
  // For people; empty: none given.
  std::string display_name;
  std::map<std::string, std::string> labels;
  // Instead of the deployment's command; empty: none given.
  std::vector<std::string> command;
  // Absent: the image's own. Present and empty: none.
  std::optional<std::vector<std::string>> entrypoint;
  ImageReference image;
  PullPolicy pull_policy = PullPolicy::kIfNotPresent;
  // "linux/amd64"; empty: the engine's.
  std::string platform;
  // The name of an entry in the worker's file of registry credentials; empty: none.
  std::string registry_credentials;
  // Names of networks to join; the first one at creation.
  std::vector<std::string> networks;
  // bridge, none, host, container:<name>, or the name of a network. Empty: the first of `networks`,
  // or the engine's default.
  std::string network_mode;
  std::vector<VolumeMount> volumes;
  std::string working_dir;
  // user[:group], names or numbers; empty: the image's.
  std::string user;
  bool privileged = false;
  // The root file system.
  bool read_only = false;
  // Upper case without CAP_, or ALL.
  std::vector<std::string> cap_add;
  std::vector<std::string> cap_drop;
  // Bytes; 0: no limit.
  int64_t mem_limit = 0;
  // Memory and swap together in bytes; -1: unlimited; 0: the engine's default.
  int64_t memswap_limit = 0;
  // Billionths of a processor; 0: no limit.
  int64_t nano_cpus = 0;
  // 0: no limit.
  int64_t pids_limit = 0;
  // Bytes; 0: the engine's default.
  int64_t shm_size = 0;
  // -1: all; 0: none.
  int64_t gpu_count = 0;
  std::vector<std::string> gpu_ids;
  bool auto_remove = false;
  bool stream_output = true;
};

// Reads every key of the configuration but `env` (environment.h), which must be an object or null.
// INVALID_ARGUMENT (INVALID_JOB, `field`, `value`, often `allowed` or `nearest`): a key that means
// nothing, a wrong type, no `image`, an image reference that is not one, a bad size, a volume that
// is not `source:target[:ro|rw]`, network_mode beside networks, memswap_limit without mem_limit or
// below it.
absl::StatusOr<DockerSpec> TypeDockerSpec(const Json& configuration);

}  // namespace forebay
