#pragma once

// Answers of HTTP that come for minutes or hours (watches, logs), any number of them at once on one
// thread.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "common/base/clock.h"
#include "common/base/sync.h"
#include "common/net/http_client.h"

namespace forebay {

class HttpLoop;
struct CurlLibrary;

// Thread-safe.
class HttpStreams {
 public:
  // What is asked, and of whom.
  struct Call {
    HttpServer server;
    // Its sink and `began` are not used.
    HttpRequest request;
  };
  // All are called from the thread, one at a time, without locks held. They may begin and end
  // streams; they should not block, because all others wait.
  struct Stream {
    // Just before it begins, so that it is shown credentials that are good then. An error is its
    // end.
    std::function<absl::StatusOr<Call>()> call;
    // A good answer begins; may be empty.
    std::function<void()> began;
    // The next bytes of a good answer.
    std::function<void(std::string_view)> bytes;
    // Its end: once, and nothing after it. As HttpClient::Do; the body is there when the status is
    // 400 or above.
    std::function<void(const absl::StatusOr<HttpResponse>&)> done;
  };

  HttpStreams(const CurlLibrary& curl, const Clock& clock);
  // Gives up all streams, without a word.
  ~HttpStreams();
  HttpStreams(const HttpStreams&) = delete;
  HttpStreams& operator=(const HttpStreams&) = delete;

  // Begins it after the delay; the stream's handle, never 0.
  uint64_t Begin(Stream stream, absl::Duration delay = absl::ZeroDuration());
  // Gives it up without a word; when it returns none of its functions runs or will run. OK when it
  // is over. From within one of its functions it does not wait for that one.
  void End(uint64_t id);

 private:
  struct Running;

  void Run();
  // Begins what is due; how long until the next is.
  absl::Duration BeginDue();
  void BeginOne(const std::shared_ptr<Running>& running);
  void FinishOnes();
  void DropEnded();
  void Drop(uint64_t id);
  // Calls `function` unless the stream was ended.
  template <typename Function>
  void Tell(const std::shared_ptr<Running>& running, const Function& function);

  const CurlLibrary& curl_;
  const Clock& clock_;
  const std::unique_ptr<HttpLoop> loop_;
  Mutex mutex_;
  CondVar told_;
  bool ending_ GUARDED_BY(mutex_) = false;
  uint64_t last_id_ GUARDED_BY(mutex_) = 0;
  // The stream whose function runs; 0: none.
  uint64_t telling_ GUARDED_BY(mutex_) = 0;
  // Not begun yet, by when they are due.
  std::multimap<absl::Duration, std::shared_ptr<Running>> waiting_ GUARDED_BY(mutex_);
  // Known and not ended.
  std::map<uint64_t, std::shared_ptr<Running>> known_ GUARDED_BY(mutex_);
  std::vector<uint64_t> ended_ GUARDED_BY(mutex_);
  // Begun; the thread's own.
  std::map<uint64_t, std::shared_ptr<Running>> begun_;
  std::thread thread_;
};

}  // namespace forebay
