#include "worker/launch/process/leftovers.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <thread>

#include "common/os/files.h"
#include "worker/launch/process/format/names.h"
#include "worker/launch/process/format/process_table.h"

namespace forebay::worker {
namespace {

constexpr int kRounds = 100;
constexpr std::chrono::milliseconds kBetweenRounds(10);
constexpr size_t kMostEnvironment = 8 << 20;

bool Carries(pid_t pid, const std::string& entry) {
  auto environment = ReadSmallFile(fmt::format("/proc/{}/environ", pid), kMostEnvironment);
  if (!environment.ok()) return false;
  const std::string bounded = std::string(1, '\0') + *environment;
  return bounded.find(std::string(1, '\0') + entry + std::string(1, '\0')) != bounded.npos;
}

// Whether there was anything to kill.
bool KillOnce(const std::string& entry) {
  bool found = false;
  for (const holder::ProcessEntry& process : holder::ListProcesses()) {
    if (process.zombie || process.id.pid == ::getpid() || !Carries(process.id.pid, entry)) continue;
    found = ::kill(process.id.pid, SIGKILL) == 0 || found;
  }
  return found;
}

}  // namespace

void KillLeftovers(const std::string& name) {
  const std::string entry = fmt::format("{}={}", holder::kInfrastructureVariable, name);
  for (int round = 0; round < kRounds && KillOnce(entry); ++round) {
    std::this_thread::sleep_for(kBetweenRounds);
  }
}

}  // namespace forebay::worker
