#pragma once

// Files with secrets.

#include <filesystem>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace forebay::cli {

// Writes the file in one step with mode 0600 and makes missing directories with mode 0700.
absl::Status WritePrivateFile(const std::filesystem::path& path, std::string_view text);

// The text of a file that holds one key, without white space at the ends. NOT_FOUND
// (FILE_NOT_FOUND), PERMISSION_DENIED.
absl::StatusOr<std::string> ReadKeyFile(const std::filesystem::path& path);

}  // namespace forebay::cli
