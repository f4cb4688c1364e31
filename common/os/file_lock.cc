#include "common/os/file_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/os/errno_status.h"
#include "common/os/files.h"

namespace forebay {
namespace {

std::string NameOfProcess(const std::string& pid) {
  auto name = ReadSmallFile(fmt::format("/proc/{}/comm", pid));
  return name.ok() ? fmt::format(" ({})", Trim(*name)) : std::string();
}

absl::Status Held(const std::string& path, std::string_view place) {
  auto content = ReadSmallFile(path);
  const std::string pid(content.ok() ? Trim(*content) : "");
  const std::string who =
      pid.empty() ? "another process" : fmt::format("process {}{}", pid, NameOfProcess(pid));
  return Error(absl::StatusCode::kFailedPrecondition, "LOCKED")
      .With("path", path)
      .With("pid", pid)
      .Says("{} is in use by {}", place, who);
}

}  // namespace

absl::StatusOr<FileLock> FileLock::Take(const std::string& path, std::string_view place) {
  UniqueFd fd(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!fd.ok()) return ErrnoStatus(errno, fmt::format("cannot open lock file '{}'", path));
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return Held(path, place);
    return ErrnoStatus(errno, fmt::format("cannot lock '{}'", path));
  }
  const std::string pid = fmt::format("{}\n", ::getpid());
  // The lock holds without the note of who has it; a full disk must not keep anybody from starting.
  if (::ftruncate(fd.get(), 0) == 0) (void)!::pwrite(fd.get(), pid.data(), pid.size(), 0);
  return FileLock(std::move(fd));
}

}  // namespace forebay
