#include "worker/launch/process/format/process_table.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#include <map>
#include <string>
#include <string_view>

#include "common/base/text.h"

namespace forebay::holder {
namespace {

std::string ReadStat(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/stat";
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return {};
  char buffer[1024];
  const ssize_t got = ::read(fd, buffer, sizeof buffer);
  ::close(fd);
  return got > 0 ? std::string(buffer, static_cast<size_t>(got)) : std::string();
}

}  // namespace

std::optional<ProcessEntry> LookUpProcess(pid_t pid) {
  const std::string stat = ReadStat(pid);
  // The name in parentheses may hold anything, also parentheses and spaces.
  const size_t name_end = stat.rfind(") ");
  if (name_end == stat.npos) return std::nullopt;
  const auto words = Split(std::string_view(stat).substr(name_end + 2), ' ');
  constexpr size_t kState = 0, kParent = 1, kSession = 3, kStartTime = 19;
  if (words.size() <= kStartTime) return std::nullopt;
  ProcessEntry entry;
  entry.id = {pid, ParseInt(words[kStartTime]).value_or(0)};
  entry.parent = static_cast<pid_t>(ParseInt(words[kParent]).value_or(0));
  entry.session = static_cast<pid_t>(ParseInt(words[kSession]).value_or(0));
  entry.zombie = words[kState] == "Z" || words[kState] == "X";
  return entry;
}

std::vector<ProcessEntry> ListProcesses() {
  std::vector<ProcessEntry> table;
  DIR* directory = ::opendir("/proc");
  if (directory == nullptr) return table;
  while (const dirent* entry = ::readdir(directory)) {
    const auto pid = ParseInt(entry->d_name);
    if (!pid.has_value()) continue;
    if (auto process = LookUpProcess(static_cast<pid_t>(*pid))) table.push_back(*process);
  }
  ::closedir(directory);
  return table;
}

std::vector<pid_t> DescendantsOf(pid_t ancestor, const std::vector<ProcessEntry>& table) {
  std::multimap<pid_t, const ProcessEntry*> children;
  for (const ProcessEntry& entry : table) children.emplace(entry.parent, &entry);
  std::vector<pid_t> found;
  std::vector<pid_t> open = {ancestor};
  while (!open.empty()) {
    const auto [begin, end] = children.equal_range(open.back());
    open.pop_back();
    for (auto child = begin; child != end; ++child) {
      open.push_back(child->second->id.pid);
      if (!child->second->zombie) found.push_back(child->second->id.pid);
    }
  }
  return found;
}

}  // namespace forebay::holder
