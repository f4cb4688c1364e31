#pragma once

#include <map>

#include "common/base/sync.h"

namespace forebay {

// Ends calls that are under way, from another thread. Once cancelled it stays so: a call that is
// begun with it later ends at once. Thread-safe.
class Cancellation {
 public:
  void Cancel();
  bool cancelled() const;

  // For what can be cancelled: `wake` (of `key`) is called by Cancel, from its thread, while the
  // mutex is held.
  void Attach(void* key, void (*wake)(void* key));
  void Detach(void* key);

 private:
  mutable Mutex mutex_;
  bool cancelled_ GUARDED_BY(mutex_) = false;
  std::map<void*, void (*)(void*)> attached_ GUARDED_BY(mutex_);
};

}  // namespace forebay
