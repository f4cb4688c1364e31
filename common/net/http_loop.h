#pragma once

// Waits for the sockets of many transfers at once, and lets libcurl work on those that have
// something to do and no others. Not for others than HttpStreams.

#include <optional>

#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/net/curl_library.h"
#include "common/os/unique_fd.h"

namespace forebay {

// Of one thread, but for Wake.
class HttpLoop {
 public:
  HttpLoop(const CurlLibrary& curl, const Clock& clock);
  // All handles have been removed.
  ~HttpLoop();
  HttpLoop(const HttpLoop&) = delete;
  HttpLoop& operator=(const HttpLoop&) = delete;

  void Add(CURL* easy);
  void Remove(CURL* easy);
  // Waits until there is something to do, at most so long, and does it.
  void Turn(absl::Duration most);
  // Ends a Turn, or the next one.
  void Wake();

  struct Finished {
    CURL* easy = nullptr;
    CURLcode code = CURLE_OK;
  };
  // A transfer that is done, once each.
  std::optional<Finished> NextFinished();

 private:
  static int OnSocket(CURL*, curl_socket_t socket, int wanted, void* loop, void* known);
  static int OnTimer(CURLM*, long millis, void* loop);
  void WatchSocket(int fd, int wanted, bool known);
  void Work(int fd, int what);

  const CurlLibrary& curl_;
  const Clock& clock_;
  CURLM* const multi_;
  const UniqueFd epoll_;
  const UniqueFd wake_;
  // When libcurl wants to be called again.
  std::optional<absl::Duration> timer_;
};

}  // namespace forebay
