#pragma once

// The end of processes: the run's own, and what it leaves behind.

#include <sys/types.h>

#include <cstdint>
#include <optional>

namespace forebay::holder {

struct Usage {
  int64_t user_micros = 0;
  int64_t system_micros = 0;
  int64_t max_rss_bytes = 0;
};

// This process takes over what its descendants orphan.
void BecomeSubreaper();

struct Reaped {
  // The wait status of the process asked about, if it was among those that have ended.
  std::optional<int> status;
  // No descendants are left.
  bool none_left = false;
};
// Collects all that has ended. Never waits.
Reaped ReapChildren(pid_t main);

// Sends SIGKILL to every descendant of this process, whatever group or session it is in. One that
// forks meanwhile may leave a child behind: repeat until nothing is left.
void KillDescendants();

// Of all descendants collected so far.
Usage UsageOfChildren();

}  // namespace forebay::holder
