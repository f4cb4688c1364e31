#pragma once

// Files with secrets.

#include <filesystem>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace forebay::cli {

// Writes the file in one step (a new file, then renamed over the old) with mode 0600; makes missing directories with
// mode 0700. INTERNAL (FILE_UNWRITABLE) names path and reason.
absl::Status WritePrivateFile(const std::filesystem::path& path, std::string_view text);

// The file's text. NOT_FOUND (FILE_UNREADABLE) names `what`, path and reason.
absl::StatusOr<std::string> ReadFile(const std::filesystem::path& path, std::string_view what);
// The same without white space at the ends, for files that hold one key.
absl::StatusOr<std::string> ReadKeyFile(const std::filesystem::path& path);

}  // namespace forebay::cli
