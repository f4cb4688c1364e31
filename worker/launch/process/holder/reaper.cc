#include "worker/launch/process/holder/reaper.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "worker/launch/process/format/process_table.h"

namespace forebay::holder {
namespace {

int64_t Micros(const timeval& time) { return int64_t{time.tv_sec} * 1'000'000 + time.tv_usec; }

}  // namespace

void BecomeSubreaper() { ::prctl(PR_SET_CHILD_SUBREAPER, 1); }

Reaped ReapChildren(pid_t main) {
  Reaped reaped;
  while (true) {
    int status = 0;
    const pid_t pid = ::waitpid(-1, &status, WNOHANG);
    if (pid < 0 && errno == EINTR) continue;
    if (pid == main) reaped.status = status;
    if (pid > 0) continue;
    reaped.none_left = pid < 0;
    return reaped;
  }
}

void KillDescendants() {
  for (pid_t pid : DescendantsOf(::getpid(), ListProcesses())) ::kill(pid, SIGKILL);
}

Usage UsageOfChildren() {
  rusage usage{};
  ::getrusage(RUSAGE_CHILDREN, &usage);
  return {Micros(usage.ru_utime), Micros(usage.ru_stime), int64_t{usage.ru_maxrss} * 1024};
}

}  // namespace forebay::holder
