#pragma once

// What a container used, read after its end: each one is put in a control group of our own, which
// outlives it and adds up what was in it.
//
// Works where the engine is on this host, keeps its groups in the file system itself (the driver
// "cgroupfs") and this process may remove directories there. Thread-safe.

#include <cstdint>
#include <optional>
#include <string>

namespace forebay::worker {

struct Usage {
  // What a kernel does not tell is absent.
  std::optional<int64_t> cpu_user_micros;
  std::optional<int64_t> cpu_system_micros;
  std::optional<int64_t> peak_memory_bytes;
};

// The group of the container of this name, as the engine takes it: "/forebay/<name>".
std::string CgroupOf(const std::string& name);
// Whether groups can be read and removed here; `root` is /sys/fs/cgroup.
bool CanKeepCgroups(const std::string& root);
// Nothing when there is no such group.
std::optional<Usage> ReadUsage(const std::string& root, const std::string& name);
// Takes the empty group away. OK when absent.
void RemoveCgroup(const std::string& root, const std::string& name);

}  // namespace forebay::worker
