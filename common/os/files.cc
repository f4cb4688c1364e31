#include "common/os/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "absl/cleanup/cleanup.h"
#include "common/base/status.h"
#include "common/os/errno_status.h"
#include "common/os/unique_fd.h"

namespace forebay {
namespace {

absl::Status WriteAll(int fd, std::string_view content, const std::string& path) {
  while (!content.empty()) {
    const ssize_t written = ::write(fd, content.data(), content.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return ErrnoStatus(errno, fmt::format("cannot write '{}'", path));
    content.remove_prefix(static_cast<size_t>(written));
  }
  return absl::OkStatus();
}

absl::Status SyncDirectoryOf(const std::string& path) {
  std::string directory = std::filesystem::path(path).parent_path().string();
  if (directory.empty()) directory = ".";
  UniqueFd fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.ok() || ::fsync(fd.get()) != 0) {
    return ErrnoStatus(errno, fmt::format("cannot sync directory '{}'", directory));
  }
  return absl::OkStatus();
}

absl::Status FillFile(int fd, std::string_view content, const WriteOptions& options,
                      const std::string& path) {
  RETURN_IF_ERROR(WriteAll(fd, content, path));
  if (::fchmod(fd, options.mode) != 0) {
    return ErrnoStatus(errno, fmt::format("cannot set the mode of '{}'", path));
  }
  if (options.durable && ::fsync(fd) != 0) {
    return ErrnoStatus(errno, fmt::format("cannot sync '{}'", path));
  }
  return absl::OkStatus();
}

// Makes what is ours writable again, from the top down, as far as that goes.
void OpenDirectories(const std::filesystem::path& path) {
  std::error_code error;
  if (std::filesystem::symlink_status(path, error).type() !=
      std::filesystem::file_type::directory) {
    return;
  }
  std::filesystem::permissions(path, std::filesystem::perms::owner_all,
                               std::filesystem::perm_options::add, error);
  std::filesystem::directory_iterator entry(path, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    OpenDirectories(entry->path());
  }
}

}  // namespace

absl::StatusOr<std::string> ReadSmallFile(const std::string& path, size_t most_bytes) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.ok()) return ErrnoStatus(errno, fmt::format("cannot open '{}'", path));
  std::string content;
  char buffer[16384];
  while (true) {
    const ssize_t got = ::read(fd.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return ErrnoStatus(errno, fmt::format("cannot read '{}'", path));
    if (got == 0) return content;
    content.append(buffer, static_cast<size_t>(got));
    if (content.size() > most_bytes) {
      return Error(absl::StatusCode::kFailedPrecondition, "FILE_TOO_LARGE")
          .With("path", path)
          .Says("'{}' is larger than {} bytes", path, most_bytes);
    }
  }
}

absl::Status WriteFileAtomically(const std::string& path, std::string_view content,
                                 const WriteOptions& options) {
  std::string beside = path + ".XXXXXX";
  UniqueFd fd(::mkostemp(beside.data(), O_CLOEXEC));
  if (!fd.ok()) return ErrnoStatus(errno, fmt::format("cannot create a file beside '{}'", path));
  auto unlink_unless_done = absl::MakeCleanup([&] { ::unlink(beside.c_str()); });
  RETURN_IF_ERROR(FillFile(fd.get(), content, options, path));
  if (::rename(beside.c_str(), path.c_str()) != 0) {
    return ErrnoStatus(errno, fmt::format("cannot replace '{}'", path));
  }
  std::move(unlink_unless_done).Cancel();
  return options.durable ? SyncDirectoryOf(path) : absl::OkStatus();
}

absl::Status MakeDirectories(const std::string& path) {
  for (size_t end = path.find('/', 1);; end = path.find('/', end + 1)) {
    const std::string part = path.substr(0, end);
    if (::mkdir(part.c_str(), 0700) != 0 && errno != EEXIST) {
      const int number = errno;
      if (!FileExists(part)) {
        return ErrnoStatus(number, fmt::format("cannot make directory '{}'", part));
      }
    }
    if (end == std::string::npos) break;
  }
  struct stat made {};
  if (::stat(path.c_str(), &made) != 0 || !S_ISDIR(made.st_mode)) {
    return ErrnoStatus(ENOTDIR, fmt::format("cannot make directory '{}'", path));
  }
  return absl::OkStatus();
}

absl::Status RemoveTree(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error == std::errc::permission_denied) {
    OpenDirectories(path);
    std::filesystem::remove_all(path, error);
  }
  if (!error) return absl::OkStatus();
  return ErrnoStatus(error.value(), fmt::format("cannot remove '{}'", path));
}

absl::StatusOr<std::vector<std::string>> ListDirectory(const std::string& path) {
  std::error_code error;
  std::vector<std::string> names;
  std::filesystem::directory_iterator entry(path, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  if (error) return ErrnoStatus(error.value(), fmt::format("cannot list '{}'", path));
  std::sort(names.begin(), names.end());
  return names;
}

bool FileExists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

}  // namespace forebay
