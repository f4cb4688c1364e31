#include "worker/launch/process/holder/memory_cgroup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string_view>

#include "common/base/text.h"
#include "common/os/unique_fd.h"

namespace forebay::holder {
namespace {

std::string ReadText(const std::string& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  std::array<char, 8192> buffer;
  const ssize_t got = fd.ok() ? ::read(fd.get(), buffer.data(), buffer.size()) : -1;
  return got > 0 ? std::string(buffer.data(), static_cast<size_t>(got)) : std::string();
}

bool WriteText(const std::string& path, std::string_view text) {
  UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  return fd.ok() &&
         ::write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

bool HasWord(std::string_view text, char separator, std::string_view word) {
  const auto words = Split(text, separator);
  return std::find(words.begin(), words.end(), word) != words.end();
}

// The group that this process is in for memory, or empty. A line is "<id>:<controllers>:<path>".
std::string OwnGroup() {
  std::string unified;
  const std::string groups = ReadText("/proc/self/cgroup");
  for (std::string_view line : Split(groups, '\n')) {
    const auto parts = Split(line, ':');
    if (parts.size() < 3) continue;
    const std::string path(parts[2]);
    if (HasWord(parts[1], ',', "memory")) return "/sys/fs/cgroup/memory" + path;
    if (parts[0] == "0") unified = "/sys/fs/cgroup" + path;
  }
  const std::string enabled = ReadText(unified + "/cgroup.subtree_control");
  return HasWord(Trim(enabled), ' ', "memory") ? unified : std::string();
}

bool SetLimit(const std::string& directory, const std::string& bytes) {
  if (WriteText(directory + "/memory.max", bytes)) {
    WriteText(directory + "/memory.swap.max", "0");
    return true;
  }
  if (!WriteText(directory + "/memory.limit_in_bytes", bytes)) return false;
  // Without swap accounting this file is missing, and the limit holds for memory alone.
  WriteText(directory + "/memory.memsw.limit_in_bytes", bytes);
  return true;
}

}  // namespace

std::optional<MemoryCgroup> MemoryCgroup::Make(const std::string& name, int64_t bytes) {
  const std::string own = OwnGroup();
  if (own.empty()) return std::nullopt;
  MemoryCgroup group(own + "/" + name);
  if (::mkdir(group.directory_.c_str(), 0700) != 0 && errno != EEXIST) {
    group.directory_.clear();
    return std::nullopt;
  }
  if (!SetLimit(group.directory_, std::to_string(bytes))) return std::nullopt;
  return group;
}

MemoryCgroup::~MemoryCgroup() {
  if (!directory_.empty()) ::rmdir(directory_.c_str());
}

bool MemoryCgroup::Join() const { return WriteText(directory_ + "/cgroup.procs", "0"); }

bool MemoryCgroup::KilledForMemory() const {
  const std::string text =
      ReadText(directory_ + "/memory.events") + ReadText(directory_ + "/memory.oom_control");
  for (std::string_view line : Split(text, '\n')) {
    constexpr std::string_view kKills = "oom_kill ";
    if (line.starts_with(kKills)) return line.substr(kKills.size()) != "0";
  }
  return false;
}

}  // namespace forebay::holder
