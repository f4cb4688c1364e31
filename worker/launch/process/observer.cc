#include "worker/launch/process/observer.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "common/base/clock.h"
#include "common/base/status.h"
#include "common/os/errno_status.h"

namespace forebay::worker {
namespace {

constexpr uint64_t kWakeId = 0;
constexpr int kReapAgainMillis = 20;

absl::Status Watch(int epoll, int fd, uint64_t id) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = id;
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0) return absl::OkStatus();
  return ErrnoStatus(errno, "cannot watch a connection");
}

// The latest of the packets that wait; `open` is false when the other side has closed.
std::optional<holder::Notice> ReadNotices(int socket, bool& open) {
  std::optional<holder::Notice> latest;
  std::array<char, holder::kMostPacket> packet;
  while (true) {
    const ssize_t got = ::recv(socket, packet.data(), packet.size(), MSG_DONTWAIT);
    if (got < 0 && errno == EINTR) continue;
    open = got > 0 || (got < 0 && errno == EAGAIN);
    if (got <= 0) return latest;
    if (auto notice = holder::ParseNotice({packet.data(), static_cast<size_t>(got)})) {
      latest = notice;
    }
  }
}

}  // namespace

Observer::Observer(ChangedCallback changed) : changed_(std::move(changed)) {}

Observer::~Observer() {
  if (!thread_.joinable()) return;
  const uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
  thread_.join();
}

absl::Status Observer::Start() {
  epoll_.Reset(::epoll_create1(EPOLL_CLOEXEC));
  wake_.Reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!epoll_.ok() || !wake_.ok()) return ErrnoStatus(errno, "cannot make an epoll set");
  RETURN_IF_ERROR(Watch(epoll_.get(), wake_.get(), kWakeId));
  thread_ = std::thread([this] { Loop(); });
  return absl::OkStatus();
}

absl::Status Observer::Add(const std::string& name, UniqueFd socket, std::optional<pid_t> pid) {
  MutexLock lock(mutex_);
  if (const auto known = ids_.find(name); known != ids_.end()) Close(known->second);
  const uint64_t id = next_id_++;
  const int fd = socket.get();
  connections_[id] = {name, std::move(socket), pid, {}};
  ids_[name] = id;
  const absl::Status watched = Watch(epoll_.get(), fd, id);
  if (!watched.ok()) Close(id);
  return watched;
}

void Observer::Forget(const std::string& name) {
  MutexLock lock(mutex_);
  if (const auto known = ids_.find(name); known != ids_.end()) Close(known->second);
}

std::optional<holder::Notice> Observer::Latest(const std::string& name) {
  MutexLock lock(mutex_);
  const auto known = ids_.find(name);
  if (known == ids_.end()) return std::nullopt;
  return connections_[known->second].latest;
}

bool Observer::Send(const std::string& name, const holder::Command& command) {
  MutexLock lock(mutex_);
  const auto known = ids_.find(name);
  if (known == ids_.end()) return false;
  const std::string packet = holder::Serialize(command);
  const int socket = connections_[known->second].socket.get();
  return ::send(socket, packet.data(), packet.size(), MSG_NOSIGNAL) >= 0;
}

bool Observer::WaitUntilGone(const std::string& name, absl::Duration most) {
  const absl::Duration end = SystemClock().Monotonic() + most;
  MutexLock lock(mutex_);
  while (ids_.contains(name)) {
    const absl::Duration left = end - SystemClock().Monotonic();
    if (left <= absl::ZeroDuration()) return false;
    closed_.WaitFor(mutex_, left);
  }
  return true;
}

void Observer::Loop() {
  std::array<epoll_event, 64> events;
  while (true) {
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                                   reaping() ? kReapAgainMillis : -1);
    for (int i = 0; i < count; ++i) {
      const uint64_t id = events[static_cast<size_t>(i)].data.u64;
      if (id == kWakeId) return;
      if (auto name = Hear(id); name.has_value() && changed_) changed_(*name);
    }
    Reap();
  }
}

std::optional<std::string> Observer::Hear(uint64_t id) {
  MutexLock lock(mutex_);
  const auto found = connections_.find(id);
  if (found == connections_.end()) return std::nullopt;
  bool open = true;
  const auto latest = ReadNotices(found->second.socket.get(), open);
  if (latest.has_value()) found->second.latest = *latest;
  std::string name = found->second.name;
  if (!open) Close(id);
  return name;
}

void Observer::Close(uint64_t id) {
  const auto found = connections_.find(id);
  if (found->second.pid.has_value()) unreaped_.push_back(*found->second.pid);
  ids_.erase(found->second.name);
  connections_.erase(found);
  closed_.NotifyAll();
}

bool Observer::reaping() {
  MutexLock lock(mutex_);
  return !unreaped_.empty();
}

void Observer::Reap() {
  MutexLock lock(mutex_);
  std::erase_if(unreaped_, [](pid_t pid) { return ::waitpid(pid, nullptr, WNOHANG) != 0; });
}

}  // namespace forebay::worker
