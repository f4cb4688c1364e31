#pragma once

// What registries are shown to get an image, by reference: jobs name an entry, its secret stays in
// a file of the worker's host.

#include <string>

#include "absl/status/statusor.h"

namespace forebay::worker {

// The value of Docker's X-Registry-Auth header for the entry `name` of `file`, which is in the
// format of docker's config.json: {"auths": {"<name>": {"auth": "<base64 of user:password>"}}}. The
// file is read each time, so that it can be renewed. FAILED_PRECONDITION
// (REGISTRY_CREDENTIALS_MISSING) when there is no such file or entry, naming those that are there.
absl::StatusOr<std::string> RegistryAuth(const std::string& file, const std::string& name);

}  // namespace forebay::worker
