#pragma once

// Other programs of this product.

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace forebay::cli {

// Path of `name`: beside this program, else on PATH. NOT_FOUND (PROGRAM_NOT_FOUND).
absl::StatusOr<std::string> FindProgram(const std::string& name);

// Replaces this process; returns only on failure.
absl::Status Exec(const std::string& program, const std::vector<std::string>& arguments);

}  // namespace forebay::cli
