#pragma once

// Whether the engine can be reached, and what it tells of our containers.

#include <functional>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "common/base/backoff.h"
#include "common/base/sync.h"
#include "worker/launch/docker/engine/engine_api.h"

namespace forebay::worker {

// A thread that keeps a connection with the engine's events, and comes back to an engine that went
// away. Thread-safe.
class EngineWatch {
 public:
  struct Sink {
    // Something happened to the container.
    std::function<void(const std::string& name)> container_changed;
    // The engine is there, perhaps anew: anything may have changed. Called with what it says of
    // itself, before Ready is OK.
    std::function<void(const Json& info)> connected;
    // Ready says something else than before.
    std::function<void()> readiness_changed;
  };
  // All are called from the thread, without locks.
  EngineWatch(EngineApi& engine, Sink sink);
  ~EngineWatch();
  EngineWatch(const EngineWatch&) = delete;
  EngineWatch& operator=(const EngineWatch&) = delete;

  // Begins; returns when the engine has answered or could not be reached once. Containers of this
  // label are watched.
  void Start(const std::string& label);
  // Why nothing can be launched.
  absl::Status Ready() const;

 private:
  void Run(const std::string& label);
  absl::Status FollowOnce(const std::string& label);
  void Take(const Json& event) const;
  void Set(const absl::Status& ready);

  EngineApi& engine_;
  const Sink sink_;
  Backoff backoff_;
  Cancellation cancellation_;
  mutable Mutex mutex_;
  CondVar changed_;
  bool ending_ GUARDED_BY(mutex_) = false;
  bool known_ GUARDED_BY(mutex_) = false;
  absl::Status ready_ GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace forebay::worker
