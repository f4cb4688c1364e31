#pragma once

// Accounts of the operating system. Thread-safe.

#include <optional>
#include <string>

#include "absl/status/statusor.h"
#include "worker/launch/process/format/holder_spec.h"

namespace forebay::worker {

struct Account {
  std::string name;
  std::string home;
  std::string shell;
  holder::UserIds ids;
};

// The account to change to for `user`: nothing when that is what this process runs as, or when
// `user` is empty. INVALID_ARGUMENT (INVALID_JOB) for an unknown one, FAILED_PRECONDITION
// (PERMISSION_DENIED) when this process is not root.
absl::StatusOr<std::optional<Account>> AccountFor(const std::string& user);

}  // namespace forebay::worker
