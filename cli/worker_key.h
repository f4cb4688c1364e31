#pragma once

// The key with which a worker started by this user authenticates.

#include <filesystem>
#include <string>

#include "absl/status/statusor.h"
#include "cli/session.h"

namespace forebay::cli {

// The file with a valid worker key for the pool at the session's server: the one kept from before
// if the server still takes it and `fresh` is false, else a new one, which needs the operator
// level. The file has mode 0600.
absl::StatusOr<std::filesystem::path> EnsureWorkerKey(Session& session, const std::string& pool,
                                                      bool fresh);

// Where that file is.
std::filesystem::path WorkerKeyPath(const Session& session, const std::string& server,
                                    const std::string& pool);

}  // namespace forebay::cli
