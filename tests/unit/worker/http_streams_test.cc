// Many answers at once on one thread, from a server that says what each test wants.

#include "common/net/http_streams.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <deque>
#include <thread>

#include "common/base/status.h"
#include "common/net/curl_library.h"
#include "common/os/unique_fd.h"
#include "tests/support/catch.h"

namespace forebay {
namespace {

// Answers each request on a thread of its own by what `answer` writes; the connection ends with it.
class Server {
 public:
  using Answer = std::function<void(int fd, const std::string& request)>;
  explicit Server(Answer answer)
      : answer_(std::move(answer)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof address;
    REQUIRE(::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), length) == 0);
    REQUIRE(::listen(listener_.get(), 512) == 0);
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &length);
    url_ = fmt::format("http://127.0.0.1:{}", ntohs(address.sin_port));
    acceptor_ = std::thread([this] { Accept(); });
  }
  ~Server() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    acceptor_.join();
    for (std::thread& thread : threads_) thread.join();
  }

  HttpStreams::Call Call(const std::string& path) const {
    HttpStreams::Call call;
    call.server.base_url = url_;
    call.request.path = path;
    return call;
  }

 private:
  void Accept() {
    while (true) {
      const int fd = ::accept(listener_.get(), nullptr, nullptr);
      if (fd < 0) return;
      threads_.emplace_back([this, fd] {
        const UniqueFd connection(fd);
        std::string request(4096, '\0');
        const ssize_t got = ::read(fd, request.data(), request.size());
        request.resize(got > 0 ? static_cast<size_t>(got) : 0);
        answer_(fd, request);
      });
    }
  }

  const Answer answer_;
  const UniqueFd listener_;
  std::string url_;
  std::deque<std::thread> threads_;
  std::thread acceptor_;
};

void Send(int fd, const std::string& text) {
  (void)!::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
}

std::string Head(const std::string& status = "200 OK") {
  return "HTTP/1.1 " + status + "\r\nConnection: close\r\n\r\n";
}

const CurlLibrary& Curl() {
  const auto curl = CurlLibrary::Loaded();
  REQUIRE(curl.ok());
  return **curl;
}

// Waits until the other side closes.
void WaitForEnd(int fd) {
  char byte = 0;
  while (::read(fd, &byte, 1) > 0) continue;
}

template <typename Condition>
bool Eventually(Mutex& mutex, CondVar& changed, const Condition& condition) {
  const absl::Duration end = SystemClock().Monotonic() + absl::Seconds(30);
  MutexLock lock(mutex);
  while (!condition() && SystemClock().Monotonic() < end) {
    changed.WaitFor(mutex, absl::Milliseconds(100));
  }
  return condition();
}

// What became of one stream.
struct Seen {
  Mutex mutex;
  CondVar changed;
  std::string bytes;
  int begun = 0;
  int ends = 0;
  absl::StatusOr<HttpResponse> end = absl::UnknownError("");

  HttpStreams::Stream Stream(std::function<absl::StatusOr<HttpStreams::Call>()> call) {
    const auto note = [this](const auto& change) {
      MutexLock lock(mutex);
      change();
      changed.NotifyAll();
    };
    HttpStreams::Stream stream;
    stream.call = std::move(call);
    stream.began = [=, this] { note([&] { ++begun; }); };
    stream.bytes = [=, this](std::string_view more) { note([&] { bytes += more; }); };
    stream.done = [=, this](const auto& outcome) {
      note([&] {
        end = outcome;
        ++ends;
      });
    };
    return stream;
  }
  bool WaitForEnd() {
    return Eventually(mutex, changed, [this] { return ends > 0; });
  }
};

TEST_CASE("a stream gives its bytes as they come, and then its end", "[net]") {
  std::atomic<bool> go = false;
  Server server([&](int fd, const std::string&) {
    Send(fd, Head() + "one");
    go.wait(false);
    Send(fd, "two");
  });
  Seen seen;
  HttpStreams streams(Curl(), SystemClock());
  streams.Begin(seen.Stream([&] { return server.Call("/"); }));
  CHECK(Eventually(seen.mutex, seen.changed, [&] { return seen.bytes == "one"; }));
  CHECK(seen.begun == 1);
  go = true;
  go.notify_all();
  REQUIRE(seen.WaitForEnd());
  CHECK(seen.end.ok());
  CHECK(seen.bytes == "onetwo");
}

TEST_CASE("a refusal comes with its body and headers", "[net]") {
  Server server([](int fd, const std::string&) {
    Send(fd, "HTTP/1.1 429 Slow down\r\nRetry-After: 7\r\nConnection: close\r\n\r\nlater");
  });
  Seen seen;
  HttpStreams streams(Curl(), SystemClock());
  streams.Begin(seen.Stream([&] { return server.Call("/"); }));
  REQUIRE(seen.WaitForEnd());
  REQUIRE(seen.end.ok());
  CHECK(seen.end->status == 429);
  CHECK(seen.end->body == "later");
  CHECK(seen.end->headers.at("retry-after") == "7");
  CHECK(seen.bytes.empty());
  CHECK(seen.begun == 0);
}

TEST_CASE("what cannot be called or connected to has ended", "[net]") {
  Seen refused, unsigned_call;
  HttpStreams streams(Curl(), SystemClock());
  HttpStreams::Call nobody;
  nobody.server.base_url = "http://127.0.0.1:1";
  streams.Begin(refused.Stream([&] { return nobody; }));
  streams.Begin(unsigned_call.Stream([] { return absl::InternalError("no credential"); }));
  REQUIRE(refused.WaitForEnd());
  CHECK(ReasonOf(refused.end.status()) == "HTTP_UNAVAILABLE");
  REQUIRE(unsigned_call.WaitForEnd());
  CHECK(unsigned_call.end.status().message() == "no credential");
}

TEST_CASE("an ended stream says nothing more, and its connection closes", "[net]") {
  std::atomic<int> closed = 0;
  Server server([&](int fd, const std::string&) {
    Send(fd, Head() + "one");
    WaitForEnd(fd);
    ++closed;
  });
  Seen seen;
  HttpStreams streams(Curl(), SystemClock());
  const uint64_t id = streams.Begin(seen.Stream([&] { return server.Call("/"); }));
  REQUIRE(Eventually(seen.mutex, seen.changed, [&] { return seen.bytes == "one"; }));
  streams.End(id);
  CHECK(Eventually(seen.mutex, seen.changed, [&] { return closed == 1; }));
  CHECK(seen.ends == 0);
  // One that has not begun never does, and a stream that is over can be ended again.
  Seen later;
  streams.End(streams.Begin(later.Stream([&] { return server.Call("/"); }), absl::Hours(1)));
  streams.End(id);
  streams.End(0);
}

TEST_CASE("hundreds of streams go on side by side", "[net]") {
  constexpr int kStreams = 300;
  std::atomic<bool> go = false;
  Server server([&](int fd, const std::string& request) {
    const std::string path = request.substr(4, request.find(' ', 4) - 4);
    // More than one buffer holds.
    Send(fd, Head() + std::string(50'000, 'x'));
    go.wait(false);
    Send(fd, path);
  });
  std::deque<Seen> all(kStreams);
  HttpStreams streams(Curl(), SystemClock());
  for (int i = 0; i < kStreams; ++i) {
    streams.Begin(all[static_cast<size_t>(i)].Stream(
        [&server, i] { return server.Call(fmt::format("/{}", i)); }));
  }
  for (Seen& seen : all) {
    REQUIRE(Eventually(seen.mutex, seen.changed, [&] { return seen.bytes.size() == 50'000; }));
  }
  go = true;
  go.notify_all();
  for (int i = 0; i < kStreams; ++i) {
    Seen& seen = all[static_cast<size_t>(i)];
    REQUIRE(seen.WaitForEnd());
    CHECK(seen.bytes.substr(50'000) == fmt::format("/{}", i));
  }
}

TEST_CASE("a stream may begin another from its end", "[net]") {
  Server server([](int fd, const std::string&) { Send(fd, Head() + "x"); });
  Seen seen;
  HttpStreams streams(Curl(), SystemClock());
  HttpStreams::Stream first;
  first.call = [&] { return server.Call("/"); };
  first.bytes = [](std::string_view) {};
  first.done = [&](const auto&) {
    streams.Begin(seen.Stream([&] { return server.Call("/"); }), absl::Milliseconds(1));
  };
  streams.Begin(first);
  REQUIRE(seen.WaitForEnd());
  CHECK(seen.bytes == "x");
}

}  // namespace
}  // namespace forebay
