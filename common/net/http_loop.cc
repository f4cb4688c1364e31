#include "common/net/http_loop.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace forebay {
namespace {

constexpr absl::Duration kLongestWait = absl::Seconds(60);
constexpr int kMostEvents = 64;
constexpr long kIdleConnections = 16;

int Millis(absl::Duration duration) {
  const absl::Duration up = absl::Ceil(std::min(duration, kLongestWait), absl::Milliseconds(1));
  return static_cast<int>(std::max<int64_t>(absl::ToInt64Milliseconds(up), 0));
}

}  // namespace

HttpLoop::HttpLoop(const CurlLibrary& curl, const Clock& clock)
    : curl_(curl),
      clock_(clock),
      multi_(curl_.multi_init()),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  curl_.multi_setopt(multi_, CURLMOPT_SOCKETFUNCTION, OnSocket);
  curl_.multi_setopt(multi_, CURLMOPT_SOCKETDATA, this);
  curl_.multi_setopt(multi_, CURLMOPT_TIMERFUNCTION, OnTimer);
  curl_.multi_setopt(multi_, CURLMOPT_TIMERDATA, this);
  curl_.multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kIdleConnections);
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = wake_.get();
  ::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event);
}

HttpLoop::~HttpLoop() { curl_.multi_cleanup(multi_); }

int HttpLoop::OnSocket(CURL*, curl_socket_t socket, int wanted, void* loop, void* known) {
  static_cast<HttpLoop*>(loop)->WatchSocket(socket, wanted, known != nullptr);
  return 0;
}

void HttpLoop::WatchSocket(int fd, int wanted, bool known) {
  if (wanted == CURL_POLL_REMOVE) {
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr);
    return;
  }
  epoll_event event{};
  event.data.fd = fd;
  if ((wanted & CURL_POLL_IN) != 0) event.events |= EPOLLIN;
  if ((wanted & CURL_POLL_OUT) != 0) event.events |= EPOLLOUT;
  ::epoll_ctl(epoll_.get(), known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event);
  // Anything but null says that it is known.
  curl_.multi_assign(multi_, fd, this);
}

int HttpLoop::OnTimer(CURLM*, long millis, void* loop) {
  auto& self = *static_cast<HttpLoop*>(loop);
  self.timer_.reset();
  if (millis >= 0) self.timer_ = self.clock_.Monotonic() + absl::Milliseconds(millis);
  return 0;
}

void HttpLoop::Add(CURL* easy) { curl_.multi_add_handle(multi_, easy); }

void HttpLoop::Remove(CURL* easy) { curl_.multi_remove_handle(multi_, easy); }

void HttpLoop::Wake() {
  const uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
}

void HttpLoop::Work(int fd, int what) {
  int running = 0;
  curl_.multi_socket_action(multi_, fd, what, &running);
}

void HttpLoop::Turn(absl::Duration most) {
  if (timer_.has_value()) most = std::min(most, *timer_ - clock_.Monotonic());
  std::array<epoll_event, kMostEvents> events{};
  const int count = ::epoll_wait(epoll_.get(), events.data(), kMostEvents, Millis(most));
  for (int i = 0; i < count; ++i) {
    const epoll_event& event = events[static_cast<size_t>(i)];
    if (event.data.fd == wake_.get()) {
      uint64_t number = 0;
      (void)!::read(wake_.get(), &number, sizeof number);
      continue;
    }
    int what = 0;
    if ((event.events & EPOLLIN) != 0) what |= CURL_CSELECT_IN;
    if ((event.events & EPOLLOUT) != 0) what |= CURL_CSELECT_OUT;
    if ((event.events & (EPOLLERR | EPOLLHUP)) != 0) what |= CURL_CSELECT_ERR;
    Work(event.data.fd, what);
  }
  if (timer_.has_value() && *timer_ <= clock_.Monotonic()) {
    timer_.reset();
    Work(CURL_SOCKET_TIMEOUT, 0);
  }
}

std::optional<HttpLoop::Finished> HttpLoop::NextFinished() {
  int left = 0;
  while (const CURLMsg* message = curl_.multi_info_read(multi_, &left)) {
    if (message->msg == CURLMSG_DONE) return Finished{message->easy_handle, message->data.result};
  }
  return std::nullopt;
}

}  // namespace forebay
