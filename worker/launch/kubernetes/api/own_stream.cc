#include "worker/launch/kubernetes/api/own_stream.h"

namespace forebay::worker {

OwnStream::~OwnStream() {
  uint64_t stream = 0;
  {
    MutexLock lock(mutex_);
    ending_ = true;
    stream = stream_;
  }
  api_.End(stream);
}

void OwnStream::Track(uint64_t stream) {
  bool ending = false;
  {
    MutexLock lock(mutex_);
    stream_ = stream;
    ending = ending_;
  }
  if (ending) api_.End(stream);
}

}  // namespace forebay::worker
