#pragma once

// All connections of a listener together: how many, how many bytes, which one makes room.
// Thread-safe.

#include <atomic>
#include <functional>
#include <list>
#include <memory>

#include "common/base/sync.h"
#include "server/http/http_server.h"

namespace forebay::server {

// A connection as the others see it.
class HttpPeer {
 public:
  virtual ~HttpPeer() = default;
  // Ends it, if it still waits for a request; from any thread.
  virtual void EndIfIdle() = 0;
};

class HttpConnections {
 public:
  explicit HttpConnections(HttpOptions given) : options(std::move(given)) {}

  // Counts one connection while it lives.
  class Place {
   public:
    explicit Place(HttpConnections& all);
    ~Place();
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    // It waits for a request from now on, or does not any more.
    void Idle(std::weak_ptr<HttpPeer> peer);
    void Busy();

   private:
    HttpConnections& all_;
    std::list<std::weak_ptr<HttpPeer>>::iterator place_;
    bool idle_ = false;
  };

  // Whether one more may come; asks the longest idle to go if they are too many.
  bool MayCome();
  // Reserves bytes for a body; false when too many are taken.
  bool TakeBytes(size_t bytes);
  void ReturnBytes(size_t bytes) { bytes_ -= bytes; }
  // From now on every connection ends with its request; the idle ones at once.
  void Drain();
  bool draining() const { return draining_; }
  int count() const { return count_; }

  const HttpOptions options;
  // Set before the first connection.
  HttpHandler handler;

 private:
  Mutex mutex_;
  // Longest first.
  std::list<std::weak_ptr<HttpPeer>> idle_ GUARDED_BY(mutex_);
  std::atomic<int> count_ = 0;
  std::atomic<size_t> bytes_ = 0;
  std::atomic<bool> draining_ = false;
};

}  // namespace forebay::server
