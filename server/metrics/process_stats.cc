#include "server/metrics/process_stats.h"

#include <sys/resource.h>
#include <unistd.h>

#include "common/base/text.h"
#include "common/os/files.h"
#include "server/metrics/families.h"

namespace forebay::server {
namespace {

double Seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

double CpuSeconds() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
}

// proc(5): size and resident set, in pages.
std::pair<double, double> MemoryBytes() {
  const auto text = ReadSmallFile("/proc/self/statm");
  if (!text.ok()) return {0, 0};
  const auto fields = Split(*text, ' ');
  if (fields.size() < 2) return {0, 0};
  const auto page = static_cast<double>(sysconf(_SC_PAGESIZE));
  return {static_cast<double>(ParseInt(fields[0]).value_or(0)) * page,
          static_cast<double>(ParseInt(fields[1]).value_or(0)) * page};
}

double CountOf(const char* directory) {
  const auto names = ListDirectory(directory);
  return names.ok() ? static_cast<double>(names->size()) : 0;
}

double MostFiles() {
  rlimit limit = {};
  getrlimit(RLIMIT_NOFILE, &limit);
  return static_cast<double>(limit.rlim_cur);
}

}  // namespace

std::vector<prometheus::MetricFamily> ProcessStats::Collect() const {
  const auto [size, resident] = MemoryBytes();
  return {
      CounterFamily("process_cpu_seconds_total", "User and system time.", CpuSeconds()),
      GaugeFamily("process_resident_memory_bytes", "Memory in use.", resident),
      GaugeFamily("process_virtual_memory_bytes", "Address space in use.", size),
      GaugeFamily("process_open_fds", "Open file descriptors.", CountOf("/proc/self/fd")),
      GaugeFamily("process_max_fds", "The most that may be open.", MostFiles()),
      GaugeFamily("process_threads", "Threads.", CountOf("/proc/self/task")),
      GaugeFamily("process_start_time_seconds", "Start, in seconds since 1970.",
                  absl::ToDoubleSeconds(start_ - absl::UnixEpoch())),
  };
}

}  // namespace forebay::server
