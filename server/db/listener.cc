#include "server/db/listener.h"

#include "server/db/pqxx_shim.h"

namespace forebay::server {
namespace {

// How long one wait for notifications lasts; bounds the time to end.
constexpr long kWaitMicros = 200'000;
constexpr absl::Duration kPauseBeforeReconnect = absl::Milliseconds(300);

}  // namespace

Listener::Listener(std::string url, std::string channel,
                   std::function<void(const std::string&)> notified,
                   std::function<void()> reconnected)
    : url_(std::move(url)),
      channel_(std::move(channel)),
      notified_(std::move(notified)),
      reconnected_(std::move(reconnected)),
      thread_([this] { Loop(); }) {}

Listener::~Listener() {
  {
    MutexLock lock(mutex_);
    stopping_ = true;
  }
  wake_.NotifyAll();
  thread_.join();
}

bool Listener::stopping() const {
  MutexLock lock(mutex_);
  return stopping_;
}

void Listener::Listen() {
  try {
    pqxx::connection connection(url_);
    pqxx_shim::Subscription subscription(connection, channel_, notified_);
    reconnected_();
    while (!stopping()) connection.await_notification(0, kWaitMicros);
  } catch (const std::exception&) {
    // Whatever broke it, the loop connects anew; the slow probe covers the gap.
  }
}

void Listener::Loop() {
  for (;;) {
    Listen();
    MutexLock lock(mutex_);
    if (!stopping_) wake_.WaitFor(mutex_, kPauseBeforeReconnect);
    if (stopping_) return;
  }
}

}  // namespace forebay::server
