#include "worker/launch/process/holder/status_writer.h"

#include <unistd.h>

namespace forebay::holder {

bool StatusWriter::Append(std::string_view record) {
  const ssize_t written = ::pwrite(file_.get(), record.data(), record.size(), size_);
  if (written != static_cast<ssize_t>(record.size())) return false;
  size_ += written;
  return true;
}

bool StatusWriter::AppendDurably(std::string_view record) {
  return Append(record) && ::fdatasync(file_.get()) == 0;
}

}  // namespace forebay::holder
