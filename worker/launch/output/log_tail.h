#pragma once

// Reads the output of runs (output_file.h) where a reader left off. Thread-safe.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/sync.h"
#include "forebay/v1/log.pb.h"

namespace forebay::worker {

// Remembers one place for each run, so that reading on costs nothing; reading from elsewhere passes
// over the file.
class LogTail {
 public:
  // As Launcher::ReadLog.
  absl::StatusOr<std::vector<v1::LogEntry>> Read(const std::string& path, int64_t from,
                                                 int most_lines, size_t most_bytes);
  // Complete records in the file.
  absl::StatusOr<int64_t> Count(const std::string& path);
  void Forget(const std::string& path);

 private:
  struct Place {
    int64_t sequence = 0;
    int64_t offset = 0;
  };
  Place NearestPlace(const std::string& path, int64_t from);
  void Remember(const std::string& path, const Place& place);

  Mutex mutex_;
  std::map<std::string, Place> places_ GUARDED_BY(mutex_);
};

}  // namespace forebay::worker
