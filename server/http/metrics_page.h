#pragma once

// GET /metrics: what a Prometheus server scrapes, as OpenMetrics if it accepts that. It names pools
// and methods, so it wants a key of role viewer; everything a scrape costs is one query.
// Thread-safe.

#include <memory>
#include <vector>

#include "prometheus/registry.h"
#include "server/auth/authenticator.h"
#include "server/db/executor.h"
#include "server/http/http_exchange.h"

namespace forebay::server {

class MetricsPage {
 public:
  // `sources`: what is collected besides the pools; they outlive the page.
  MetricsPage(Authenticator& authenticator, Executor& executor,
              std::vector<prometheus::Collectable*> sources)
      : authenticator_(authenticator), executor_(executor), sources_(std::move(sources)) {}

  // False if the path is not its own.
  bool Answer(const std::shared_ptr<HttpExchange>& exchange);

 private:
  void Collect(const std::shared_ptr<HttpExchange>& exchange);

  Authenticator& authenticator_;
  Executor& executor_;
  const std::vector<prometheus::Collectable*> sources_;
};

}  // namespace forebay::server
