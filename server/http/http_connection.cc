#include "server/http/http_connection.h"

#include <poll.h>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <optional>

namespace forebay::server {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::ip::tcp;
using Failure = beast::error_code;

constexpr uint32_t kMostHeaderBytes = 16 << 10;
constexpr size_t kFirstBytes = 4 << 10;
constexpr int64_t kSlowestBytesPerSecond = 64 << 10;
constexpr auto kTlsTime = std::chrono::seconds(10);
constexpr auto kLinger = std::chrono::seconds(2);
// How often a client that has sent more than its request is asked whether it is still there.
constexpr auto kPeerCheck = std::chrono::seconds(1);

std::chrono::nanoseconds ToChrono(absl::Duration time) { return absl::ToChronoNanoseconds(time); }

std::string Lower(beast::string_view text) {
  std::string lower(text);
  for (char& c : lower) c = static_cast<char>(tolower(static_cast<unsigned char>(c)));
  return lower;
}

HttpRequest Taken(http::request<http::string_body>&& message) {
  HttpRequest request;
  request.method = std::string(message.method_string());
  const std::string target(message.target());
  const size_t mark = target.find('?');
  request.path = target.substr(0, mark);
  if (mark != std::string::npos) request.query = target.substr(mark + 1);
  for (const auto& field : message)
    request.headers.emplace(Lower(field.name_string()), std::string(field.value()));
  request.body = std::move(message.body());
  return request;
}

HttpResponse Plain(int status, std::string text) {
  return {status, "text/plain; charset=utf-8", std::move(text) + "\n", {}};
}

// Has the other end closed its side?
bool HasHungUp(int socket) {
  pollfd entry{socket, POLLRDHUP, 0};
  return poll(&entry, 1, 0) > 0 && (entry.revents & (POLLRDHUP | POLLHUP | POLLERR)) != 0;
}

template <typename Stream>
class Connection final : public HttpPeer, public std::enable_shared_from_this<Connection<Stream>> {
 public:
  template <typename... Args>
  explicit Connection(HttpConnections& all, Args&&... args)
      : all_(all),
        place_(all),
        stream_(std::forward<Args>(args)...),
        timer_(stream_.get_executor()) {}
  ~Connection() override { all_.ReturnBytes(taken_); }

  void Begin();
  void EndIfIdle() override;

 private:
  class Exchange;
  using Self = std::shared_ptr<Connection>;
  using Request = http::request_parser<http::string_body>;

  beast::tcp_stream& tcp() { return beast::get_lowest_layer(stream_); }
  void AwaitRequest();
  void ReadHeader();
  void Invite();
  void ReadBody();
  void Refuse(int status, const char* text);
  void Handle();
  void WatchPeer();
  void CheckPeer();
  void Gone();
  void Send(HttpResponse response, bool keep);
  void Sent(const Failure& failure, bool keep);
  void Linger();
  void Close();

  HttpConnections& all_;
  HttpConnections::Place place_;
  Stream stream_;
  asio::steady_timer timer_;
  beast::flat_buffer buffer_;
  std::optional<Request> parser_;
  std::optional<http::response<http::string_body>> response_;
  std::weak_ptr<Exchange> exchange_;
  size_t taken_ = 0;
  bool idle_ = false;
  bool keep_ = false;
  // The answer has a body of its own length only.
  bool head_ = false;
};

// Lives as long as somebody may answer.
template <typename Stream>
class Connection<Stream>::Exchange final : public HttpExchange {
 public:
  Exchange(Self connection, HttpRequest request)
      : connection_(std::move(connection)),
        request_(std::move(request)),
        late_(connection_->stream_.get_executor()) {}
  ~Exchange() override {
    if (answered_) return;
    asio::post(connection_->stream_.get_executor(), [self = connection_] { self->Close(); });
  }

  const HttpRequest& request() const override { return request_; }

  void Answer(HttpResponse response) override {
    if (answered_.exchange(true)) return;
    Forget();
    asio::post(connection_->stream_.get_executor(),
               [self = connection_, response = std::move(response)]() mutable {
                 self->Send(std::move(response), self->keep_);
               });
  }

  void OnGone(absl::AnyInvocable<void()> hook) override {
    MutexLock lock(mutex_);
    if (!answered_) gone_ = std::move(hook);
  }

  void OnLate(absl::Duration time, absl::AnyInvocable<void()> hook) override {
    auto shared = std::make_shared<absl::AnyInvocable<void()>>(std::move(hook));
    late_.expires_after(ToChrono(time));
    late_.async_wait([shared](const Failure& failure) {
      if (!failure) (*shared)();
    });
  }

  void Gone() {
    absl::AnyInvocable<void()> hook;
    {
      MutexLock lock(mutex_);
      hook = std::exchange(gone_, nullptr);
    }
    if (hook) hook();
  }

 private:
  // A hook may hold the call that holds this exchange.
  void Forget() {
    absl::AnyInvocable<void()> hook;
    MutexLock lock(mutex_);
    hook = std::exchange(gone_, nullptr);
  }

  const Self connection_;
  const HttpRequest request_;
  asio::steady_timer late_;
  std::atomic<bool> answered_ = false;
  Mutex mutex_;
  absl::AnyInvocable<void()> gone_ GUARDED_BY(mutex_);
};

template <typename Stream>
void Connection<Stream>::Begin() {
  if constexpr (std::is_same_v<Stream, beast::tcp_stream>) {
    AwaitRequest();
  } else {
    tcp().expires_after(kTlsTime);
    stream_.async_handshake(asio::ssl::stream_base::server,
                            [self = this->shared_from_this()](const Failure& failure) {
                              if (!failure) self->AwaitRequest();
                            });
  }
}

template <typename Stream>
void Connection<Stream>::EndIfIdle() {
  asio::post(stream_.get_executor(), [self = this->shared_from_this()] {
    if (self->idle_) self->Close();
  });
}

// Its first bytes: the header has a time limit of its own.
template <typename Stream>
void Connection<Stream>::AwaitRequest() {
  if (all_.draining()) return Close();
  if (buffer_.size() > 0) return ReadHeader();
  idle_ = true;
  place_.Idle(this->weak_from_this());
  tcp().expires_after(ToChrono(all_.options.idle_time));
  stream_.async_read_some(buffer_.prepare(kFirstBytes),
                          [self = this->shared_from_this()](const Failure& failure, size_t bytes) {
                            self->idle_ = false;
                            self->place_.Busy();
                            self->buffer_.commit(bytes);
                            if (!failure) self->ReadHeader();
                          });
}

template <typename Stream>
void Connection<Stream>::ReadHeader() {
  parser_.emplace();
  parser_->header_limit(kMostHeaderBytes);
  parser_->body_limit(all_.options.most_body_bytes);
  tcp().expires_after(ToChrono(all_.options.header_time));
  http::async_read_header(
      stream_, buffer_, *parser_,
      [self = this->shared_from_this()](const Failure& failure, size_t) {
        if (!failure) return self->Invite();
        if (failure == http::error::body_limit)
          return self->Refuse(413, "the request is too large");
        if (failure == http::error::header_limit || failure == http::error::buffer_overflow)
          return self->Refuse(431, "the header is too large");
        if (failure == http::error::end_of_stream) return self->Close();
        if (failure.category() == http::make_error_code(http::error::end_of_stream).category())
          return self->Refuse(400, "this is not an HTTP/1.1 request");
      });
}

// A body that is to be waited for is asked for; a chunked one may be as large as any.
template <typename Stream>
void Connection<Stream>::Invite() {
  const auto length = parser_->content_length();
  const size_t bytes = length ? *length : parser_->chunked() ? all_.options.most_body_bytes : 0;
  if (!all_.TakeBytes(bytes)) return Refuse(503, "the server is reading too many requests now");
  taken_ = bytes;
  if (parser_->get()[http::field::expect] != "100-continue") return ReadBody();
  static constexpr beast::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  asio::async_write(stream_, asio::buffer(kContinue.data(), kContinue.size()),
                    [self = this->shared_from_this()](const Failure& failure, size_t) {
                      if (!failure) self->ReadBody();
                    });
}

template <typename Stream>
void Connection<Stream>::ReadBody() {
  tcp().expires_after(ToChrono(all_.options.header_time) +
                      std::chrono::seconds(taken_ / kSlowestBytesPerSecond));
  http::async_read(stream_, buffer_, *parser_,
                   [self = this->shared_from_this()](const Failure& failure, size_t) {
                     if (!failure) return self->Handle();
                     if (failure == http::error::body_limit)
                       self->Refuse(413, "the request is too large");
                   });
}

template <typename Stream>
void Connection<Stream>::Refuse(int status, const char* text) {
  Send(Plain(status, text), false);
}

template <typename Stream>
void Connection<Stream>::Handle() {
  tcp().expires_never();
  keep_ = parser_->keep_alive();
  head_ = parser_->get().method() == http::verb::head;
  auto exchange = std::make_shared<Exchange>(this->shared_from_this(), Taken(parser_->release()));
  parser_.reset();
  exchange_ = exchange;
  all_.handler(exchange);
  exchange.reset();
  if (!exchange_.expired()) WatchPeer();
}

template <typename Stream>
void Connection<Stream>::WatchPeer() {
  tcp().socket().async_wait(tcp::socket::wait_read,
                            [self = this->shared_from_this()](const Failure& failure) {
                              if (!failure) self->CheckPeer();
                            });
}

template <typename Stream>
void Connection<Stream>::CheckPeer() {
  const auto exchange = exchange_.lock();
  if (exchange == nullptr) return;
  if (HasHungUp(tcp().socket().native_handle())) return exchange->Gone();
  timer_.expires_after(kPeerCheck);
  timer_.async_wait([self = this->shared_from_this()](const Failure& failure) {
    if (!failure) self->CheckPeer();
  });
}

template <typename Stream>
void Connection<Stream>::Send(HttpResponse response, bool keep) {
  // No more watching.
  Failure ignored;
  tcp().socket().cancel(ignored);
  timer_.cancel();
  keep = keep && !all_.draining();
  response_.emplace();
  response_->result(static_cast<unsigned>(response.status));
  for (const auto& [name, value] : response.headers) response_->set(name, value);
  response_->set(http::field::content_type, response.content_type);
  response_->set(http::field::cache_control, "no-store");
  response_->set("X-Content-Type-Options", "nosniff");
  response_->keep_alive(keep);
  const size_t length = response.body.size();
  if (!head_) response_->body() = std::move(response.body);
  response_->content_length(length);
  tcp().expires_after(ToChrono(all_.options.header_time) +
                      std::chrono::seconds(length / kSlowestBytesPerSecond));
  http::async_write(stream_, *response_,
                    [self = this->shared_from_this(), keep](const Failure& failure, size_t) {
                      self->Sent(failure, keep);
                    });
}

template <typename Stream>
void Connection<Stream>::Sent(const Failure& failure, bool keep) {
  response_.reset();
  all_.ReturnBytes(std::exchange(taken_, 0));
  if (failure) return Close();
  if (keep) return AwaitRequest();
  Failure ignored;
  tcp().socket().shutdown(tcp::socket::shutdown_send, ignored);
  tcp().expires_after(kLinger);
  Linger();
}

// What the client still sends is read: a reset would take the answer from it.
template <typename Stream>
void Connection<Stream>::Linger() {
  buffer_.clear();
  tcp().async_read_some(buffer_.prepare(64 << 10),
                        [self = this->shared_from_this()](const Failure& failure, size_t) {
                          if (!failure) self->Linger();
                        });
}

// What is under way ends with an error, and with it the connection.
template <typename Stream>
void Connection<Stream>::Close() {
  Failure ignored;
  timer_.cancel();
  tcp().socket().shutdown(tcp::socket::shutdown_send, ignored);
  tcp().close();
}

}  // namespace

void ServeHttp(tcp::socket socket, asio::ssl::context* tls, HttpConnections& all) {
  if (tls == nullptr) {
    std::make_shared<Connection<beast::tcp_stream>>(all, std::move(socket))->Begin();
  } else {
    using Tls = beast::ssl_stream<beast::tcp_stream>;
    std::make_shared<Connection<Tls>>(all, std::move(socket), *tls)->Begin();
  }
}

}  // namespace forebay::server
