#include "cli/private_file.h"

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/os/files.h"

namespace forebay::cli {

absl::Status WritePrivateFile(const std::filesystem::path& path, std::string_view text) {
  RETURN_IF_ERROR(MakeDirectories(path.parent_path().string()));
  return WriteFileAtomically(path.string(), text, {.mode = 0600, .durable = true});
}

absl::StatusOr<std::string> ReadKeyFile(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadSmallFile(path.string()));
  return std::string(Trim(text));
}

}  // namespace forebay::cli
