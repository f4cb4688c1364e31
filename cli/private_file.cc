#include "cli/private_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

#include "absl/cleanup/cleanup.h"
#include "common/base/status.h"
#include "common/base/text.h"

namespace forebay::cli {
namespace {

namespace fs = std::filesystem;

std::string Reason(int error) { return std::generic_category().message(error); }

absl::Status Unwritable(const fs::path& path, std::string_view why) {
  return Error(absl::StatusCode::kInternal, "FILE_UNWRITABLE")
      .Field("file", path.string())
      .Says("cannot write {}: {}", path.string(), why);
}

// Only what is missing is made, and only that gets the mode: existing directories belong to the user.
absl::Status MakePrivateDirectories(const fs::path& directory) {
  std::error_code error;
  if (directory.empty() || fs::is_directory(directory, error)) return absl::OkStatus();
  RETURN_IF_ERROR(MakePrivateDirectories(directory.parent_path()));
  if (mkdir(directory.c_str(), 0700) == 0 || errno == EEXIST) return absl::OkStatus();
  return Unwritable(directory, Reason(errno));
}

bool WriteAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(fd, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return fsync(fd) == 0;
}

}  // namespace

absl::Status WritePrivateFile(const fs::path& path, std::string_view text) {
  RETURN_IF_ERROR(MakePrivateDirectories(path.parent_path()));
  const std::string fresh = fmt::format("{}.{}", path.string(), getpid());
  const int fd = open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return Unwritable(path, Reason(errno));
  const bool written = WriteAll(fd, text);
  const int write_error = errno;
  close(fd);
  if (written && rename(fresh.c_str(), path.c_str()) == 0) return absl::OkStatus();
  const int error = written ? errno : write_error;
  unlink(fresh.c_str());
  return Unwritable(path, Reason(error));
}

absl::StatusOr<std::string> ReadFile(const fs::path& path, std::string_view what) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  int error = errno;
  std::string text;
  if (fd >= 0) {
    const absl::Cleanup closer = [fd] { close(fd); };
    char buffer[1 << 16];
    for (;;) {
      const ssize_t count = read(fd, buffer, sizeof(buffer));
      if (count == 0) return text;
      if (count < 0 && errno == EINTR) continue;
      if (count < 0) break;
      text.append(buffer, static_cast<size_t>(count));
    }
    error = errno;
  }
  return Error(absl::StatusCode::kNotFound, "FILE_UNREADABLE")
      .Field(what, path.string())
      .Says("cannot read {} {}: {}", what, path.string(), Reason(error));
}

absl::StatusOr<std::string> ReadKeyFile(const fs::path& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, "the key file"));
  return std::string(Trim(text));
}

}  // namespace forebay::cli
