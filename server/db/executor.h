#pragma once

// Threads that each own one database session: the bounded connection pool for everything that is
// not a hot path.

#include <deque>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/functional/any_invocable.h"
#include "common/base/status.h"
#include "common/base/sync.h"
#include "server/db/session.h"

namespace forebay::server {

class Executor {
 public:
  using Task = absl::AnyInvocable<void(Session&)>;

  // `queue_limit` tasks may wait.
  Executor(std::string url, int threads, size_t queue_limit);
  // Runs what is queued, then joins.
  ~Executor();

  // RESOURCE_EXHAUSTED (SERVER_BUSY) when the queue is full; the task is then dropped. Thread-safe.
  absl::Status Submit(Task task);

 private:
  void Loop();

  const std::string url_;
  const size_t queue_limit_;
  Mutex mutex_;
  CondVar wake_;
  std::deque<Task> queue_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::vector<std::thread> threads_;
};

}  // namespace forebay::server
