#pragma once

// What a load balancer or a kubelet asks: /livez, /readyz. No credential, nothing told but yes, no
// and why. The database is asked by one question at a time, however many ask. Thread-safe.

#include <atomic>
#include <memory>
#include <vector>

#include "common/base/sync.h"
#include "server/db/executor.h"
#include "server/http/http_exchange.h"

namespace forebay::server {

class Probes {
 public:
  explicit Probes(Executor& executor) : executor_(executor) {}

  // False if the path is none of theirs.
  bool Answer(const std::shared_ptr<HttpExchange>& exchange);
  // Not ready from now on.
  void Stop() { stopping_ = true; }

 private:
  void Ask(const std::shared_ptr<HttpExchange>& exchange);
  void AnswerAll(const HttpResponse& response);

  Executor& executor_;
  std::atomic<bool> stopping_ = false;
  Mutex mutex_;
  std::vector<std::shared_ptr<HttpExchange>> waiting_ GUARDED_BY(mutex_);
};

}  // namespace forebay::server
