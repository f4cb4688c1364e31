#pragma once

// The directory that holds what must outlive the worker's process, and who may use it.

#include <string>

#include "absl/status/statusor.h"
#include "common/os/file_lock.h"

namespace forebay::worker {

// One worker process at a time for a directory. Movable; let go when destroyed.
class StateDir {
 public:
  // The given directory: made if missing. FAILED_PRECONDITION (LOCKED) when another worker has it.
  static absl::StatusOr<StateDir> Open(const std::string& path, const std::string& server);
  // The first of `base`, `base`-2, … that no other worker has and that holds no runs of another
  // server, where they would look like nobody's: workers of one pool on one host need no options.
  static absl::StatusOr<StateDir> OpenFirst(const std::string& base, const std::string& server);

  const std::string& path() const { return path_; }
  // The worker id of the process that had the directory last; empty: none.
  std::string predecessor() const;
  absl::Status Remember(const std::string& worker_id) const;

 private:
  StateDir(std::string path, FileLock lock) : path_(std::move(path)), lock_(std::move(lock)) {}

  std::string path_;
  FileLock lock_;
};

// <data directory of forebay>/worker/<pool>.
std::string DefaultStateDir(const std::string& pool);

}  // namespace forebay::worker
