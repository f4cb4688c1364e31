#include "server/http/http_server.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <thread>
#include <vector>

#include "common/base/status.h"
#include "common/obs/log.h"
#include "server/http/http_connection.h"
#include "server/listen_address.h"

namespace forebay::server {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Failure = boost::system::error_code;

// When the process has no descriptor left for one more.
constexpr auto kAcceptPause = std::chrono::milliseconds(100);
constexpr auto kDrainCheck = std::chrono::milliseconds(5);

absl::StatusOr<std::unique_ptr<asio::ssl::context>> MakeTls(const HttpOptions& options) {
  if (options.certificate.empty()) return nullptr;
  auto tls = std::make_unique<asio::ssl::context>(asio::ssl::context::tls_server);
  Failure failure;
  tls->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                       asio::ssl::context::no_tlsv1_1,
                   failure);
  if (!failure) tls->use_certificate_chain(asio::buffer(options.certificate), failure);
  if (!failure) tls->use_private_key(asio::buffer(options.key), asio::ssl::context::pem, failure);
  if (!failure) return tls;
  return Error(absl::StatusCode::kInvalidArgument, "TLS_INVALID")
      .Says("the TLS certificate or its key cannot be used: {}", failure.message());
}

// A peer that has vanished without a word is noticed while nothing is sent, and while it is.
void NoticeLoss(tcp::socket& socket) {
  Failure ignored;
  socket.set_option(tcp::no_delay(true), ignored);
  socket.set_option(asio::socket_base::keep_alive(true), ignored);
  const auto set = [&](int name, int value) {
    setsockopt(socket.native_handle(), IPPROTO_TCP, name, &value, sizeof value);
  };
  set(TCP_KEEPIDLE, 30);
  set(TCP_KEEPINTVL, 10);
  set(TCP_KEEPCNT, 3);
  set(TCP_USER_TIMEOUT, 30'000);
}

absl::Status Taken(const std::string& listen, const Failure& failure) {
  return Error(absl::StatusCode::kUnavailable, "ADDRESS_IN_USE")
      .Field("http_listen", listen)
      .Next("forebay server start --http-listen 127.0.0.1:0")
      .Says("cannot listen on {} for HTTP: {}", listen, failure.message());
}

}  // namespace

struct HttpServer::Parts {
  explicit Parts(const HttpOptions& options)
      : all(options), context(options.threads), acceptor(context), pause(context) {}

  absl::Status Listen();
  void Accept();
  void Accepted(const Failure& failure, tcp::socket socket);

  // What is left of connections goes with the context.
  HttpConnections all;
  std::unique_ptr<asio::ssl::context> tls;
  asio::io_context context;
  tcp::acceptor acceptor;
  asio::steady_timer pause;
  int port = 0;
  std::vector<std::thread> threads;
};

absl::Status HttpServer::Parts::Listen() {
  const std::string& listen = all.options.listen;
  Failure failure;
  const auto found = tcp::resolver(context).resolve(
      HostOf(listen), listen.substr(listen.rfind(':') + 1), tcp::resolver::passive, failure);
  if (failure) return Taken(listen, failure);
  const tcp::endpoint endpoint = found.begin()->endpoint();
  acceptor.open(endpoint.protocol(), failure);
  if (!failure) acceptor.set_option(asio::socket_base::reuse_address(true), failure);
  if (!failure) acceptor.bind(endpoint, failure);
  if (!failure) acceptor.listen(asio::socket_base::max_listen_connections, failure);
  if (failure) return Taken(listen, failure);
  port = acceptor.local_endpoint(failure).port();
  return absl::OkStatus();
}

void HttpServer::Parts::Accept() {
  acceptor.async_accept(
      asio::make_strand(context),
      [this](const Failure& failure, tcp::socket socket) { Accepted(failure, std::move(socket)); });
}

void HttpServer::Parts::Accepted(const Failure& failure, tcp::socket socket) {
  if (failure == asio::error::operation_aborted) return;
  if (failure) {
    pause.expires_after(kAcceptPause);
    return pause.async_wait([this](const Failure& stopped) {
      if (!stopped) Accept();
    });
  }
  if (all.MayCome()) {
    NoticeLoss(socket);
    ServeHttp(std::move(socket), tls.get(), all);
  }
  Accept();
}

HttpServer::HttpServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

absl::StatusOr<std::unique_ptr<HttpServer>> HttpServer::Listen(const HttpOptions& options) {
  auto parts = std::make_unique<Parts>(options);
  ASSIGN_OR_RETURN(parts->tls, MakeTls(options));
  RETURN_IF_ERROR(parts->Listen());
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(parts)));
}

void HttpServer::Serve(HttpHandler handler) {
  parts_->all.handler = std::move(handler);
  parts_->Accept();
  for (int n = 0; n < parts_->all.options.threads; ++n)
    parts_->threads.emplace_back([context = &parts_->context] { context->run(); });
}

int HttpServer::port() const { return parts_->port; }
int HttpServer::connections() const { return parts_->all.count(); }

void HttpServer::Drain(absl::Duration time) {
  asio::post(parts_->context, [parts = parts_.get()] {
    Failure ignored;
    parts->pause.cancel();
    parts->acceptor.close(ignored);
  });
  parts_->all.Drain();
  for (absl::Duration waited; waited < time && connections() > 0;
       waited += absl::FromChrono(kDrainCheck))
    std::this_thread::sleep_for(kDrainCheck);
}

HttpServer::~HttpServer() {
  parts_->context.stop();
  for (std::thread& thread : parts_->threads) thread.join();
}

}  // namespace forebay::server
