#pragma once

// Natural batching of one kind of hot write: whatever has gathered while the previous flush was
// under way makes the next one. No timers: a lone item is flushed at once, a flood in batches of up
// to `max_batch`, where one commit serves hundreds. Each flusher thread owns a session. A second
// one sets in while the first is under way once enough waits to be worth a commit of its own: a
// core would idle during the first one's commit, but two halves of a batch cost more than the
// whole.
//
// The flush function must complete every item (each carries its own callback); it is called on a
// flusher thread and may keep nothing. Add is thread-safe. The destructor flushes what is queued.

#include <algorithm>
#include <deque>
#include <functional>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "common/base/status.h"
#include "common/base/sync.h"
#include "server/db/session.h"

namespace forebay::server {

template <typename Item>
class Batcher {
 public:
  using Flush = std::function<void(Session&, std::vector<Item>)>;
  struct Options {
    int flushers = 2;
    size_t max_batch = 500;
    size_t queue_limit = 20'000;
    // Items that have to wait for a flusher to set in beside another.
    size_t worth_another = 1;
  };

  Batcher(const std::string& url, Options options, Flush flush)
      : options_(options), flush_(std::move(flush)) {
    for (int i = 0; i < options.flushers; ++i) threads_.emplace_back([this, url] { Loop(url); });
  }
  ~Batcher() {
    {
      MutexLock lock(mutex_);
      stopping_ = true;
    }
    wake_.NotifyAll();
    for (std::thread& thread : threads_) thread.join();
  }
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;

  // RESOURCE_EXHAUSTED (SERVER_BUSY, metadata `retry_after_ms`) when too much waits; the items are
  // then untouched.
  absl::Status Add(std::vector<Item>& items) {
    {
      MutexLock lock(mutex_);
      if (queue_.size() + items.size() > options_.queue_limit) {
        return Error(absl::StatusCode::kResourceExhausted, "SERVER_BUSY")
            .With("retry_after_ms", "200")
            .Says("{} writes wait for the database; try again shortly", queue_.size());
      }
      queue_.insert(queue_.end(), std::make_move_iterator(items.begin()),
                    std::make_move_iterator(items.end()));
    }
    wake_.NotifyOne();
    return absl::OkStatus();
  }

 private:
  void Loop(const std::string& url) {
    Session session(url);
    for (;;) {
      std::vector<Item> batch = Next();
      if (batch.empty()) return;
      flush_(session, std::move(batch));
      session.Rollback();
      MutexLock lock(mutex_);
      --flushing_;
    }
  }

  bool WorthFlushing() const REQUIRES(mutex_) {
    if (stopping_) return true;
    return queue_.size() >= (flushing_ == 0 ? 1 : options_.worth_another);
  }

  std::vector<Item> Next() {
    MutexLock lock(mutex_);
    while (!WorthFlushing()) wake_.Wait(mutex_);
    ++flushing_;
    const size_t count = std::min(queue_.size(), options_.max_batch);
    const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(count);
    std::vector<Item> batch(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
    queue_.erase(queue_.begin(), end);
    return batch;
  }

  const Options options_;
  const Flush flush_;
  Mutex mutex_;
  CondVar wake_;
  std::deque<Item> queue_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  int flushing_ GUARDED_BY(mutex_) = 0;
  std::vector<std::thread> threads_;
};

}  // namespace forebay::server
