#pragma once

// Where one run lives on this host: <state_dir>/runs/<name>/. Thread-safe; calls for one name come
// one at a time.

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/os/unique_fd.h"
#include "worker/launch/process/account.h"
#include "worker/launch/process/format/holder_spec.h"
#include "worker/launch/process/format/status_file.h"

namespace forebay::worker {

class RunDirectory {
 public:
  // `runs`: the directory of all of them.
  RunDirectory(const std::string& runs, std::string name);

  const std::string& name() const { return name_; }
  const std::string& path() const { return path_; }
  std::string File(std::string_view file) const;
  bool Exists() const;
  absl::Status Make() const;

  // The lock that a living holder has. No descriptor when it is taken. Errors as in errno_status.h.
  absl::StatusOr<UniqueFd> TryLock() const;
  // What the holder wrote down; an empty Status when there is nothing.
  holder::Status ReadStatus() const;

  // The files that a holder expects. The caller has the lock.
  absl::Status WriteFiles(const holder::HolderSpec& spec, const std::string& labels_json) const;
  // Makes a directory for the command to start in and returns its path. One for another account
  // stands outside, where that account can reach it.
  absl::StatusOr<std::string> MakeWorkDirectory(const Account* account) const;
  // Takes all of it away. OK when absent.
  absl::Status Remove() const;

 private:
  std::string OutsideWorkDirectory() const;

  std::string name_;
  std::string path_;
};

}  // namespace forebay::worker
