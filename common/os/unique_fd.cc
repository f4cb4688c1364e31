#include "common/os/unique_fd.h"

#include <unistd.h>

namespace forebay {

void UniqueFd::Reset(int fd) {
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

}  // namespace forebay
