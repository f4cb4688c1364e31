#pragma once

// Other programs of this product.

#include <sys/types.h>

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace forebay::cli {

// Path of `name`: beside this program, else on PATH. NOT_FOUND (PROGRAM_NOT_FOUND).
absl::StatusOr<std::string> FindProgram(const std::string& name);

// Replaces this process; returns only on failure.
absl::Status Exec(const std::string& program, const std::vector<std::string>& arguments);

// A child in a process group of its own (so Ctrl-C reaches it only through us) that gets SIGTERM when we die, its
// output on a pipe.
struct Child {
  pid_t pid = -1;
  // Read end of its standard output and standard error. Owned by the caller.
  int output = -1;
};
absl::StatusOr<Child> Spawn(const std::string& program, const std::vector<std::string>& arguments);

}  // namespace forebay::cli
