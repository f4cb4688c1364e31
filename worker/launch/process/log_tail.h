#pragma once

// Stage 5: reads the output of runs where a reader left off. Thread-safe.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "common/base/sync.h"
#include "forebay/v1/log.pb.h"
#include "worker/launch/process/run_directory.h"

namespace forebay::worker {

// Remembers one place for each run, so that reading on costs nothing; reading from elsewhere passes
// over the file.
class LogTail {
 public:
  // As Launcher::ReadLog.
  absl::StatusOr<std::vector<v1::LogEntry>> Read(const RunDirectory& directory, int64_t from,
                                                 int most_lines, size_t most_bytes);
  // Complete records in the file.
  absl::StatusOr<int64_t> Count(const RunDirectory& directory);
  void Forget(const std::string& name);

 private:
  struct Place {
    int64_t sequence = 0;
    int64_t offset = 0;
  };
  Place NearestPlace(const std::string& name, int64_t from);
  void Remember(const std::string& name, const Place& place);

  Mutex mutex_;
  std::map<std::string, Place> places_ GUARDED_BY(mutex_);
};

}  // namespace forebay::worker
