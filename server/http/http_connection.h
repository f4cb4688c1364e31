#pragma once

// One connection: reads a request, has it answered, writes the answer, again and again.

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <memory>

#include "server/http/http_connections.h"

namespace forebay::server {

// Serves `socket`, which has a strand of its own as executor, until it ends. `tls` null: plain
// text.
void ServeHttp(boost::asio::ip::tcp::socket socket, boost::asio::ssl::context* tls,
               HttpConnections& all);

}  // namespace forebay::server
