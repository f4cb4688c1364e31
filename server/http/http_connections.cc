#include "server/http/http_connections.h"

namespace forebay::server {

HttpConnections::Place::Place(HttpConnections& all) : all_(all) { ++all_.count_; }

HttpConnections::Place::~Place() {
  Busy();
  --all_.count_;
}

void HttpConnections::Place::Idle(std::weak_ptr<HttpPeer> peer) {
  MutexLock lock(all_.mutex_);
  place_ = all_.idle_.insert(all_.idle_.end(), std::move(peer));
  idle_ = true;
}

void HttpConnections::Place::Busy() {
  if (!idle_) return;
  MutexLock lock(all_.mutex_);
  all_.idle_.erase(place_);
  idle_ = false;
}

bool HttpConnections::MayCome() {
  if (count_ < options.most_connections) return true;
  std::shared_ptr<HttpPeer> longest;
  {
    MutexLock lock(mutex_);
    for (auto peer = idle_.begin(); peer != idle_.end() && longest == nullptr; ++peer) {
      longest = peer->lock();
      // Not to be asked again by the next one.
      peer->reset();
    }
  }
  if (longest != nullptr) longest->EndIfIdle();
  return longest != nullptr;
}

bool HttpConnections::TakeBytes(size_t bytes) {
  if ((bytes_ += bytes) <= options.most_bytes_in_flight) return true;
  bytes_ -= bytes;
  return false;
}

void HttpConnections::Drain() {
  draining_ = true;
  std::list<std::weak_ptr<HttpPeer>> idle;
  {
    MutexLock lock(mutex_);
    idle = idle_;
  }
  for (const auto& peer : idle) {
    if (const auto connection = peer.lock()) connection->EndIfIdle();
  }
}

}  // namespace forebay::server
