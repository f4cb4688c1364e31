#pragma once

// Several servers, one of which is in use. Whoever finds it unreachable moves all on to the next.
// Thread-safe.

#include <memory>
#include <string>
#include <vector>

#include "common/base/sync.h"
#include "common/rpc/channel.h"

namespace forebay {

struct Endpoint {
  size_t index = 0;
  std::string server;
  std::shared_ptr<grpc::Channel> channel;
};

class Endpoints {
 public:
  // At least one server; `first` is the one to begin with. Channels are opened at first use and
  // kept.
  Endpoints(std::vector<std::string> servers, std::string tls_ca_pem, size_t first);

  Endpoint Current();
  // The endpoint of this index did not answer. Moves on to the next unless somebody has done so
  // already, so that many callers who failed at once move by one.
  void Failed(size_t index);
  size_t size() const { return servers_.size(); }

 private:
  const std::vector<std::string> servers_;
  const std::string tls_ca_pem_;
  Mutex mutex_;
  size_t current_ GUARDED_BY(mutex_);
  std::vector<std::shared_ptr<grpc::Channel>> channels_ GUARDED_BY(mutex_);
};

}  // namespace forebay
