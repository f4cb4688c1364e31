#include "cli/process.h"

#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/os/errno_status.h"

namespace forebay::cli {

namespace fs = std::filesystem;

absl::StatusOr<std::string> FindProgram(const std::string& name) {
  std::error_code error;
  std::vector<fs::path> directories = {fs::read_symlink("/proc/self/exe", error).parent_path()};
  const char* path = std::getenv("PATH");
  for (const std::string_view part : Split(path == nullptr ? "" : path, ':')) {
    if (part.starts_with('/')) directories.emplace_back(part);
  }
  for (const fs::path& directory : directories) {
    const fs::path candidate = directory / name;
    if (access(candidate.c_str(), X_OK) == 0) return candidate.string();
  }
  return Error(absl::StatusCode::kNotFound, "PROGRAM_NOT_FOUND")
      .Field("program", name)
      .Says("{} is neither beside forebay nor on PATH", name);
}

absl::Status Exec(const std::string& program, const std::vector<std::string>& arguments) {
  std::vector<char*> argv = {const_cast<char*>(program.c_str())};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  execv(argv[0], argv.data());
  return ErrnoStatus(errno, fmt::format("cannot start {}", program));
}

}  // namespace forebay::cli
