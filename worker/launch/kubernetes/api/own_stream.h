#pragma once

// The one stream of the API that an object has at a time: ended with the object, also when it is
// begun by a callback while the object ends. Last among the members: when it is destroyed no
// callback runs any more.

#include <cstdint>

#include "common/base/sync.h"
#include "worker/launch/kubernetes/api/kubernetes_api.h"

namespace forebay::worker {

class OwnStream {
 public:
  explicit OwnStream(KubernetesApi& api) : api_(api) {}
  ~OwnStream();
  OwnStream(const OwnStream&) = delete;
  OwnStream& operator=(const OwnStream&) = delete;

  // `stream` has been begun in the place of the last. Thread-safe.
  void Track(uint64_t stream);

 private:
  KubernetesApi& api_;
  Mutex mutex_;
  bool ending_ GUARDED_BY(mutex_) = false;
  uint64_t stream_ GUARDED_BY(mutex_) = 0;
};

}  // namespace forebay::worker
