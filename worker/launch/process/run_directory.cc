#include "worker/launch/process/run_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>

#include "common/base/status.h"
#include "common/os/errno_status.h"
#include "common/os/files.h"
#include "worker/launch/process/format/names.h"

namespace forebay::worker {

RunDirectory::RunDirectory(const std::string& runs, std::string name)
    : name_(std::move(name)), path_(runs + "/" + name_) {}

std::string RunDirectory::File(std::string_view file) const {
  return fmt::format("{}/{}", path_, file);
}

bool RunDirectory::Exists() const { return FileExists(path_); }

absl::Status RunDirectory::Make() const { return MakeDirectories(path_); }

absl::StatusOr<UniqueFd> RunDirectory::TryLock() const {
  const std::string path = File(holder::kLockFile);
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.ok()) return ErrnoStatus(errno, fmt::format("cannot open '{}'", path));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return fd;
  if (errno == EWOULDBLOCK) return UniqueFd();
  return ErrnoStatus(errno, fmt::format("cannot lock '{}'", path));
}

holder::Status RunDirectory::ReadStatus() const {
  auto text = ReadSmallFile(File(holder::kStatusFile));
  return text.ok() ? holder::ParseStatus(*text) : holder::Status();
}

absl::Status RunDirectory::WriteFiles(const holder::HolderSpec& spec,
                                      const std::string& labels_json) const {
  RETURN_IF_ERROR(WriteFileAtomically(File(holder::kStatusFile), holder::EmptyStatusFile()));
  RETURN_IF_ERROR(WriteFileAtomically(File(holder::kLabelsFile), labels_json));
  return WriteFileAtomically(File(holder::kSpecFile), holder::Serialize(spec));
}

std::string RunDirectory::OutsideWorkDirectory() const {
  std::error_code error;
  const std::filesystem::path temporary = std::filesystem::temp_directory_path(error);
  return (error ? std::filesystem::path("/tmp") : temporary) / name_;
}

absl::StatusOr<std::string> RunDirectory::MakeWorkDirectory(const Account* account) const {
  const std::string path =
      account == nullptr ? File(holder::kWorkDirectory) : OutsideWorkDirectory();
  // A launch that was cut short may have left one.
  RETURN_IF_ERROR(RemoveTree(path));
  if (::mkdir(path.c_str(), 0700) != 0) {
    return ErrnoStatus(errno, fmt::format("cannot make the working directory '{}'", path));
  }
  if (account != nullptr && ::chown(path.c_str(), account->ids.uid, account->ids.gid) != 0) {
    return ErrnoStatus(errno, fmt::format("cannot give '{}' to '{}'", path, account->name));
  }
  return path;
}

absl::Status RunDirectory::Remove() const {
  // Before the directory itself, which tells of it.
  RETURN_IF_ERROR(RemoveTree(OutsideWorkDirectory()));
  return RemoveTree(path_);
}

}  // namespace forebay::worker
