#pragma once

// The worker's own key, from its file.

#include <functional>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "common/rpc/endpoints.h"

namespace forebay::worker {

// The key (`fbw_…`) or join token (`fbj_…`) in the file, checked for form only. PERMISSION_DENIED
// (KEY_FILE_UNSAFE) when others than the owner can read it; NOT_FOUND, INVALID_ARGUMENT
// (INVALID_KEY). No error holds any of what the file holds.
absl::StatusOr<std::string> ReadKey(const std::string& path);

// The worker key for what is in the file: a join token is exchanged for a key, which takes its
// place in the file. UNAVAILABLE when the server cannot be reached; the exchange itself happens at
// most once, so an error that leaves its outcome open asks for a new token. `description`: what
// people see of the key.
absl::StatusOr<std::string> ObtainKey(const std::string& path, const std::string& description,
                                      Endpoints& endpoints);

}  // namespace forebay::worker
