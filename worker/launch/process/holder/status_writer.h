#pragma once

// Writes the run's life down, in place, in the file that the worker made.

#include <cstdint>
#include <string_view>

#include "common/os/unique_fd.h"

namespace forebay::holder {

class StatusWriter {
 public:
  explicit StatusWriter(UniqueFd file) : file_(std::move(file)) {}

  // Appends a record of format/status_file.h. False when the file cannot be written.
  bool Append(std::string_view record);
  // The same, and returns when it survives a power cut.
  bool AppendDurably(std::string_view record);

 private:
  UniqueFd file_;
  int64_t size_ = 0;
};

}  // namespace forebay::holder
