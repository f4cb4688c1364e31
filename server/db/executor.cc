#include "server/db/executor.h"
#include "common/base/status.h"

namespace forebay::server {

Executor::Executor(std::string url, int threads, size_t queue_limit)
    : url_(std::move(url)), queue_limit_(queue_limit) {
  for (int i = 0; i < threads; ++i) threads_.emplace_back([this] { Loop(); });
}

Executor::~Executor() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.NotifyAll();
  for (std::thread& thread : threads_) thread.join();
}

absl::Status Executor::Submit(Task task) {
  {
    MutexLock lock(mutex_);
    if (queue_.size() >= queue_limit_) {
      return Error(absl::StatusCode::kResourceExhausted, "SERVER_BUSY")
          .With("retry_after_ms", "200")
          .Says("the server has {} requests waiting for its database; try again shortly",
                queue_.size());
    }
    queue_.push_back(std::move(task));
  }
  wake_.NotifyOne();
  return absl::OkStatus();
}

void Executor::Loop() {
  Session session(url_);
  for (;;) {
    Task task;
    {
      MutexLock lock(mutex_);
      while (queue_.empty() && !stopping_) wake_.Wait(mutex_);
      if (queue_.empty()) return;
      task = std::move(queue_.front());
      queue_.pop_front();
    }
    task(session);
    session.Rollback();
  }
}

}  // namespace forebay::server
