#include "common/rpc/endpoints.h"

namespace forebay {

Endpoints::Endpoints(std::vector<std::string> servers, std::string tls_ca_pem, size_t first)
    : servers_(std::move(servers)),
      tls_ca_pem_(std::move(tls_ca_pem)),
      current_(first % servers_.size()),
      channels_(servers_.size()) {}

Endpoint Endpoints::Current() {
  MutexLock lock(mutex_);
  std::shared_ptr<grpc::Channel>& channel = channels_[current_];
  if (channel == nullptr) channel = OpenChannel({servers_[current_], tls_ca_pem_});
  return {current_, servers_[current_], channel};
}

void Endpoints::Failed(size_t index) {
  MutexLock lock(mutex_);
  if (index == current_) current_ = (current_ + 1) % servers_.size();
}

}  // namespace forebay
