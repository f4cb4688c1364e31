#pragma once

// One holder of a place at a time, across processes. The kernel drops the lock when its holder
// ends, however it ends.

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "common/os/unique_fd.h"

namespace forebay {

// Movable; the lock is held until destroyed. The file stays behind and means nothing without its
// lock. Children do not inherit it.
class FileLock {
 public:
  // Never waits. FAILED_PRECONDITION (LOCKED) when another process or another FileLock holds it,
  // with that process's id in the text and in metadata `pid`; `place` names for people what is
  // locked ("the state directory '/x'").
  static absl::StatusOr<FileLock> Take(const std::string& path, std::string_view place);

 private:
  explicit FileLock(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace forebay
