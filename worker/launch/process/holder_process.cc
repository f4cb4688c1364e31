#include "worker/launch/process/holder_process.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "common/base/status.h"
#include "common/base/text.h"
#include "common/os/errno_status.h"
#include "common/os/files.h"
#include "common/os/subprocess.h"
#include "worker/launch/process/format/names.h"

namespace forebay::worker {
namespace {

constexpr char kProgram[] = "forebay-holder";

// The address of the run's socket. A socket's path is at most 107 bytes, a directory's may be
// longer: it is reached through a descriptor of the directory.
class Address {
 public:
  explicit Address(const RunDirectory& directory)
      : directory_(::open(directory.path().c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)) {
    address_.sun_family = AF_UNIX;
    const std::string path =
        fmt::format("/proc/self/fd/{}/{}", directory_.get(), holder::kControlSocket);
    path.copy(address_.sun_path, sizeof address_.sun_path - 1);
  }
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&address_); }
  const char* path() const { return address_.sun_path; }

 private:
  UniqueFd directory_;
  sockaddr_un address_{};
};

UniqueFd MakeSocket(int flags) {
  return UniqueFd(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | flags, 0));
}

absl::StatusOr<UniqueFd> Listen(const RunDirectory& directory) {
  const Address address(directory);
  ::unlink(address.path());
  UniqueFd socket = MakeSocket(0);
  constexpr int kBacklog = 16;
  if (!socket.ok() || ::bind(socket.get(), address.get(), sizeof(sockaddr_un)) != 0 ||
      ::listen(socket.get(), kBacklog) != 0) {
    return ErrnoStatus(errno, fmt::format("cannot listen in '{}'", directory.path()));
  }
  return socket;
}

}  // namespace

absl::StatusOr<std::string> FindHolderProgram() {
  std::error_code error;
  const auto own = std::filesystem::read_symlink("/proc/self/exe", error);
  const std::string beside = (own.parent_path() / kProgram).string();
  if (!error && ::access(beside.c_str(), X_OK) == 0) return beside;
  const char* search = std::getenv("PATH");
  for (std::string_view place : Split(search == nullptr ? "" : search, ':')) {
    const std::string path = fmt::format("{}/{}", place, kProgram);
    if (!place.empty() && ::access(path.c_str(), X_OK) == 0) return path;
  }
  return Error(absl::StatusCode::kFailedPrecondition, "HOLDER_NOT_FOUND")
      .With("path", beside)
      .Says("the program '{}' is neither beside this one nor in PATH; install it as '{}'", kProgram,
            beside);
}

absl::StatusOr<StartedHolder> StartHolder(const std::string& program, const RunDirectory& directory,
                                          const std::string& display_name, UniqueFd lock) {
  ASSIGN_OR_RETURN(UniqueFd listener, Listen(directory));
  SubprocessSpec spec;
  spec.argv = {program, directory.path(), display_name};
  spec.group = SubprocessSpec::Group::kOwnSession;
  spec.input = Redirect::ToFd(listener.get());
  spec.output = Redirect::ToFd(lock.get());
  ASSIGN_OR_RETURN(UniqueFd socket, ConnectToHolder(directory));
  ASSIGN_OR_RETURN(Subprocess process, Subprocess::Start(spec));
  return StartedHolder{process.pid(), std::move(socket)};
}

absl::StatusOr<UniqueFd> ConnectToHolder(const RunDirectory& directory) {
  const Address address(directory);
  UniqueFd socket = MakeSocket(SOCK_NONBLOCK);
  if (!socket.ok() || ::connect(socket.get(), address.get(), sizeof(sockaddr_un)) != 0) {
    return ErrnoStatus(errno, fmt::format("cannot reach the holder in '{}'", directory.path()));
  }
  return socket;
}

}  // namespace forebay::worker
