#pragma once

// The HTTP listener's own numbers.

#include "prometheus/collectable.h"
#include "server/http/http_server.h"

namespace forebay::server {

// forebay_http_connections.
class HttpStats final : public prometheus::Collectable {
 public:
  explicit HttpStats(const HttpServer& server) : server_(server) {}
  std::vector<prometheus::MetricFamily> Collect() const override;

 private:
  const HttpServer& server_;
};

}  // namespace forebay::server
