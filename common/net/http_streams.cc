#include "common/net/http_streams.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <utility>

#include "common/base/status.h"
#include "common/net/curl_library.h"
#include "common/net/http_loop.h"
#include "common/net/transfer.h"

namespace forebay {
namespace {

constexpr absl::Duration kLongestWait = absl::Seconds(60);
// A peer that is silent is asked after this time, and given up when it has not said that it is
// there for as long as kDeadAfter.
constexpr long kAskAfterSeconds = 10;
constexpr long kAskEverySeconds = 5;
constexpr int kDeadAfterMillis = 20'000;
// Many streams are open, and each says little.
constexpr long kBufferBytes = 8 * 1024;

int OnSocket(void*, curl_socket_t socket, curlsocktype) {
  const unsigned int millis = kDeadAfterMillis;
  (void)::setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &millis, sizeof millis);
  return CURL_SOCKOPT_OK;
}

void PrepareLongLived(const CurlLibrary& curl, CURL* easy) {
  curl.easy_setopt(easy, CURLOPT_BUFFERSIZE, kBufferBytes);
  curl.easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, kAskAfterSeconds);
  curl.easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, kAskEverySeconds);
  curl.easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, OnSocket);
}

}  // namespace

struct HttpStreams::Running {
  explicit Running(const CurlLibrary& curl) : transfer(curl) {}

  uint64_t id = 0;
  Stream stream;
  Call call;
  Transfer transfer;
};

HttpStreams::HttpStreams(const CurlLibrary& curl, const Clock& clock)
    : curl_(curl),
      clock_(clock),
      loop_(std::make_unique<HttpLoop>(curl, clock)),
      thread_([this] { Run(); }) {}

HttpStreams::~HttpStreams() {
  {
    MutexLock lock(mutex_);
    ending_ = true;
  }
  loop_->Wake();
  thread_.join();
  for (const auto& [id, running] : begun_) loop_->Remove(running->transfer.handle());
}

uint64_t HttpStreams::Begin(Stream stream, absl::Duration delay) {
  auto running = std::make_shared<Running>(curl_);
  running->stream = std::move(stream);
  uint64_t id = 0;
  {
    MutexLock lock(mutex_);
    id = running->id = ++last_id_;
    known_[id] = running;
    waiting_.emplace(clock_.Monotonic() + delay, std::move(running));
  }
  loop_->Wake();
  return id;
}

void HttpStreams::End(uint64_t id) {
  {
    MutexLock lock(mutex_);
    if (known_.erase(id) != 0) ended_.push_back(id);
    const bool from_within = std::this_thread::get_id() == thread_.get_id();
    while (telling_ == id && id != 0 && !from_within) told_.Wait(mutex_);
  }
  loop_->Wake();
}

template <typename Function>
void HttpStreams::Tell(const std::shared_ptr<Running>& running, const Function& function) {
  {
    MutexLock lock(mutex_);
    if (!known_.contains(running->id)) return;
    telling_ = running->id;
  }
  function();
  MutexLock lock(mutex_);
  telling_ = 0;
  told_.NotifyAll();
}

void HttpStreams::Run() {
  while (true) {
    DropEnded();
    const absl::Duration next = BeginDue();
    {
      MutexLock lock(mutex_);
      if (ending_) return;
    }
    loop_->Turn(next);
    FinishOnes();
  }
}

absl::Duration HttpStreams::BeginDue() {
  while (true) {
    std::shared_ptr<Running> due;
    {
      MutexLock lock(mutex_);
      if (waiting_.empty()) return kLongestWait;
      const absl::Duration left = waiting_.begin()->first - clock_.Monotonic();
      if (left > absl::ZeroDuration()) return left;
      due = std::move(waiting_.begin()->second);
      waiting_.erase(waiting_.begin());
      if (!known_.contains(due->id)) continue;
    }
    BeginOne(due);
  }
}

void HttpStreams::BeginOne(const std::shared_ptr<Running>& running) {
  absl::StatusOr<Call> call = absl::CancelledError();
  Tell(running, [&] { call = running->stream.call(); });
  if (!call.ok()) {
    Tell(running, [&] { running->stream.done(call.status()); });
    return Drop(running->id);
  }
  running->call = *std::move(call);
  const std::weak_ptr weak(running);
  running->call.request.sink = [this, weak](std::string_view bytes) {
    if (const auto alive = weak.lock()) Tell(alive, [&] { alive->stream.bytes(bytes); });
    return true;
  };
  if (running->stream.began) {
    running->call.request.began = [this, weak] {
      if (const auto alive = weak.lock()) Tell(alive, alive->stream.began);
    };
  }
  running->transfer.Prepare(running->call.server, running->call.request);
  PrepareLongLived(curl_, running->transfer.handle());
  curl_.easy_setopt(running->transfer.handle(), CURLOPT_PRIVATE, running.get());
  begun_[running->id] = running;
  loop_->Add(running->transfer.handle());
}

void HttpStreams::FinishOnes() {
  while (const auto finished = loop_->NextFinished()) {
    Running* raw = nullptr;
    curl_.easy_getinfo(finished->easy, CURLINFO_PRIVATE, &raw);
    const auto found = begun_.find(raw->id);
    if (found == begun_.end()) continue;
    const std::shared_ptr<Running> running = found->second;
    begun_.erase(found);
    const auto outcome = running->transfer.Outcome(finished->code);
    loop_->Remove(running->transfer.handle());
    Tell(running, [&] { running->stream.done(outcome); });
    Drop(running->id);
  }
}

void HttpStreams::Drop(uint64_t id) {
  MutexLock lock(mutex_);
  known_.erase(id);
}

void HttpStreams::DropEnded() {
  std::vector<uint64_t> ended;
  {
    MutexLock lock(mutex_);
    ended.swap(ended_);
  }
  for (const uint64_t id : ended) {
    const auto found = begun_.find(id);
    if (found == begun_.end()) continue;
    loop_->Remove(found->second->transfer.handle());
    begun_.erase(found);
  }
}

}  // namespace forebay
