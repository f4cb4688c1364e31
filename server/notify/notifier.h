#pragma once

// Tells the other servers what happened here, outside of every hot transaction: payloads are
// gathered and sent at most 25 times a second, each once. A hint and no more: whoever misses it
// finds the work by its probe.
//
// Payloads are "<kind> <uuid> <sender>". Thread-safe.

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <thread>

#include "common/base/sync.h"
#include "common/base/uuid.h"
#include "server/db/listener.h"
#include "server/db/session.h"

namespace forebay::server {

// kRuns: runs changed; without an id.
enum class NoticeKind { kWork, kCommand, kPool, kRuns };

class Notifier {
 public:
  using Heard = std::function<void(NoticeKind kind, const Uuid& id)>;

  // `heard` gets the notices of other servers, on the listener's thread.
  Notifier(const std::string& url, const Uuid& server, Heard heard);
  ~Notifier();

  void Tell(NoticeKind kind, const Uuid& id);

 private:
  void SendLoop(const std::string& url);
  void Receive(const std::string& payload);

  const std::string sender_;
  const Heard heard_;
  Mutex mutex_;
  CondVar wake_;
  std::set<std::string> pending_ GUARDED_BY(mutex_);
  bool stopping_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
  std::unique_ptr<Listener> listener_;
};

}  // namespace forebay::server
