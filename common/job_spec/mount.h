#pragma once

#include "absl/status/statusor.h"
#include "common/job_spec/docker_spec.h"

namespace forebay {

// `source:target[:ro|rw]`. INVALID_ARGUMENT (INVALID_JOB) naming `field`: paths must be absolute
// and without `.`, `..` and empty parts, so that a policy decides what is mounted and not what it
// looks like; the target may not be `/`. Pure.
absl::StatusOr<VolumeMount> ParseMount(std::string_view text, std::string_view field);
// Whether a path is absolute and has no `.`, `..`, empty parts or control characters.
bool IsPlainPath(std::string_view path);
// A name as engines take it for volumes, networks and containers: [a-zA-Z0-9][a-zA-Z0-9_.-]*
bool IsEngineName(std::string_view name);

}  // namespace forebay
