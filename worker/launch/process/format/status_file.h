#pragma once

// The life of a run as its holder writes it down: the file `status` of the run's directory.
//
// It has its full size from the start, so that a full disk cannot keep the end of a run from being
// recorded. Records are lines written one after the other, each ended by " .\n"; what lacks that
// end was not written completely and counts for nothing.

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace forebay::holder {

inline constexpr size_t kStatusFileSize = 4096;

// A process that cannot be confused with a later one of the same id.
struct ProcessId {
  pid_t pid = 0;
  // Field 22 of /proc/<pid>/stat.
  int64_t start_time = 0;
};

struct EndRecord {
  // As ExitRecord of launcher.h; exit_code -1 for none.
  int exit_code = -1;
  int signal = 0;
  std::string reason;
  std::string launch_failure;
  std::string message;
  int64_t cpu_user_micros = 0;
  int64_t cpu_system_micros = 0;
  int64_t max_rss_bytes = 0;
  int64_t log_lines = 0;
};

enum class Phase {
  // Nothing written yet.
  kNone,
  kWaiting,
  // Told to go; the command may have begun.
  kGoing,
  kStarted,
  kExited,
};

struct Status {
  Phase phase = Phase::kNone;
  ProcessId holder;
  ProcessId child;
  EndRecord end;
};

std::string EmptyStatusFile();
std::string WaitingRecord(const ProcessId& holder);
std::string GoingRecord();
std::string StartedRecord(const ProcessId& child);
// The message is cut to what fits and to one line.
std::string ExitedRecord(const EndRecord& end);
Status ParseStatus(std::string_view file);

}  // namespace forebay::holder
