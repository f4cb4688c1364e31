#pragma once

// A control group that bounds the memory of one run, where this process may make one.

#include <cstdint>
#include <optional>
#include <string>

namespace forebay::holder {

// Removes the group when destroyed, if it is empty by then.
class MemoryCgroup {
 public:
  // Nothing where the system lets us make none: no memory controller here (version 1 or 2), or no
  // right to.
  static std::optional<MemoryCgroup> Make(const std::string& name, int64_t bytes);

  MemoryCgroup(MemoryCgroup&& other) noexcept : directory_(std::move(other.directory_)) {
    other.directory_.clear();
  }
  MemoryCgroup& operator=(MemoryCgroup&&) = delete;
  ~MemoryCgroup();

  // Moves the calling process in.
  bool Join() const;
  // Whether the kernel has killed a process of the group for want of memory.
  bool KilledForMemory() const;

 private:
  explicit MemoryCgroup(std::string directory) : directory_(std::move(directory)) {}

  std::string directory_;
};

}  // namespace forebay::holder
