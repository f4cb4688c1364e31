#include "server/http/http_stats.h"

#include "server/metrics/families.h"

namespace forebay::server {

std::vector<prometheus::MetricFamily> HttpStats::Collect() const {
  return {GaugeFamily("forebay_http_connections", "Open connections of the HTTP listener.",
                      server_.connections())};
}

}  // namespace forebay::server
