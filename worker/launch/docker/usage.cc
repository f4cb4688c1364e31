#include "worker/launch/docker/usage.h"

#include <dirent.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vector>

#include "common/base/text.h"
#include "common/os/files.h"

namespace forebay::worker {
namespace {

constexpr int64_t kNanosPerMicro = 1000;

std::optional<int64_t> NumberIn(const std::string& path) {
  const auto text = ReadSmallFile(path);
  return text.ok() ? ParseInt(Trim(*text)) : std::nullopt;
}

std::optional<int64_t> MicrosIn(const std::string& path) {
  const auto nanos = NumberIn(path);
  return nanos.has_value() ? std::optional(*nanos / kNanosPerMicro) : std::nullopt;
}

// Of "name value" lines.
std::optional<int64_t> ValueOf(const std::string& text, std::string_view name) {
  for (const std::string_view line : Split(text, '\n')) {
    const size_t blank = line.find(' ');
    if (blank == std::string_view::npos || line.substr(0, blank) != name) continue;
    return ParseInt(line.substr(blank + 1));
  }
  return std::nullopt;
}

// Control groups version 1: a tree for each controller.
std::optional<Usage> ReadVersion1(const std::string& root, const std::string& group) {
  const std::string cpu = root + "/cpuacct" + group + "/cpuacct.usage";
  const auto peak = NumberIn(root + "/memory" + group + "/memory.max_usage_in_bytes");
  if (!peak.has_value()) return std::nullopt;
  Usage usage;
  usage.peak_memory_bytes = peak;
  usage.cpu_user_micros = MicrosIn(cpu + "_user");
  usage.cpu_system_micros = MicrosIn(cpu + "_sys");
  return usage;
}

std::optional<Usage> ReadVersion2(const std::string& root, const std::string& group) {
  const auto cpu = ReadSmallFile(root + group + "/cpu.stat");
  if (!cpu.ok()) return std::nullopt;
  Usage usage;
  usage.cpu_user_micros = ValueOf(*cpu, "user_usec");
  usage.cpu_system_micros = ValueOf(*cpu, "system_usec");
  usage.peak_memory_bytes = NumberIn(root + group + "/memory.peak");
  return usage;
}

std::vector<std::string> TreesIn(const std::string& root) {
  std::vector<std::string> trees = {root};
  const auto names = ListDirectory(root);
  if (!names.ok()) return trees;
  for (const std::string& name : *names) trees.push_back(root + "/" + name);
  return trees;
}

}  // namespace

std::string CgroupOf(const std::string& name) { return "/forebay/" + name; }

bool CanKeepCgroups(const std::string& root) {
  const std::string memory = root + "/memory";
  struct stat about {};
  const std::string& tree = ::stat(memory.c_str(), &about) == 0 ? memory : root;
  return ::access(tree.c_str(), W_OK) == 0;
}

std::optional<Usage> ReadUsage(const std::string& root, const std::string& name) {
  if (auto usage = ReadVersion1(root, CgroupOf(name))) return usage;
  return ReadVersion2(root, CgroupOf(name));
}

void RemoveCgroup(const std::string& root, const std::string& name) {
  for (const std::string& tree : TreesIn(root)) ::rmdir((tree + CgroupOf(name)).c_str());
}

}  // namespace forebay::worker
