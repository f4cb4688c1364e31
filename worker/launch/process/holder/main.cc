// forebay-holder <directory> [name]: watches over one run for the worker, and survives it. The
// worker starts it with the run's control socket as standard input and the lock of the directory as
// standard output.

#include <fcntl.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <optional>
#include <string>

#include "worker/launch/process/format/names.h"
#include "worker/launch/process/holder/reaper.h"
#include "worker/launch/process/holder/run.h"

namespace forebay::holder {
namespace {

constexpr int kBadUse = 2;
constexpr int kCannotStart = 1;

// Standard streams are for the run's process; nothing of the worker's is kept open.
int MoveAway(int fd) {
  const int moved = ::fcntl(fd, F_DUPFD_CLOEXEC, 3);
  const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
  if (null >= 0) ::dup2(null, fd);
  if (null > 2) ::close(null);
  return moved;
}

bool IsSocket(int fd) {
  struct stat about {};
  return ::fstat(fd, &about) == 0 && S_ISSOCK(about.st_mode);
}

UniqueFd BlockSignals() {
  sigset_t handled;
  ::sigemptyset(&handled);
  for (int signal : {SIGCHLD, SIGTERM, SIGINT, SIGHUP}) ::sigaddset(&handled, signal);
  ::sigprocmask(SIG_BLOCK, &handled, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  return UniqueFd(::signalfd(-1, &handled, SFD_CLOEXEC | SFD_NONBLOCK));
}

// The spec holds the run's environment, secrets too: it does not stay on the disk.
std::optional<HolderSpec> TakeSpec() {
  UniqueFd file(::open(kSpecFile, O_RDONLY | O_CLOEXEC));
  if (!file.ok()) return std::nullopt;
  std::string text;
  std::array<char, 16 * 1024> buffer;
  ssize_t got = 0;
  while ((got = ::read(file.get(), buffer.data(), buffer.size())) > 0) {
    text.append(buffer.data(), static_cast<size_t>(got));
  }
  ::unlink(kSpecFile);
  return ParseHolderSpec(text);
}

std::optional<RunFiles> OpenFiles(UniqueFd listener) {
  RunFiles files;
  files.listener = std::move(listener);
  files.signals = BlockSignals();
  files.status.Reset(::open(kStatusFile, O_RDWR | O_CLOEXEC));
  files.output.Reset(::open(kOutputFile, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
  if (!files.signals.ok() || !files.status.ok() || !files.output.ok()) return std::nullopt;
  return files;
}

int Main(const char* directory) {
  // Kept open without a name: whoever finds the lock free knows that no holder lives here.
  UniqueFd listener(MoveAway(0)), lock(MoveAway(1));
  BecomeSubreaper();
  if (::chdir(directory) != 0) return kCannotStart;
  auto spec = TakeSpec();
  if (!spec.has_value()) return kCannotStart;
  auto files = OpenFiles(std::move(listener));
  if (!files.has_value()) return kCannotStart;
  Run run(std::move(*spec), std::move(*files));
  run.Loop();
  return 0;
}

}  // namespace
}  // namespace forebay::holder

int main(int argc, char** argv) {
  if (argc < 2 || !forebay::holder::IsSocket(0)) {
    std::fputs("forebay-holder is started by forebay-worker, one for each run of a process pool.\n",
               stderr);
    return forebay::holder::kBadUse;
  }
  return forebay::holder::Main(argv[1]);
}
