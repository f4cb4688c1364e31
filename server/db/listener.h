#pragma once

// Notifications of PostgreSQL on one channel, on a connection and a thread of their own. The
// connection comes back by itself; what was sent meanwhile is lost, which `reconnected` says.

#include <functional>
#include <memory>
#include <string>
#include <thread>

#include "common/base/sync.h"

namespace forebay::server {

class Listener {
 public:
  // `channel` is an identifier. Both callbacks run on the listener's thread and must be quick.
  Listener(std::string url, std::string channel,
           std::function<void(const std::string& payload)> notified,
           std::function<void()> reconnected);
  ~Listener();

 private:
  void Loop();
  // Until the connection breaks or Listener ends.
  void Listen();
  bool stopping() const;

  const std::string url_;
  const std::string channel_;
  const std::function<void(const std::string&)> notified_;
  const std::function<void()> reconnected_;
  mutable Mutex mutex_;
  CondVar wake_;
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace forebay::server
