#include "server/http/metrics_page.h"

#include "common/base/status.h"
#include "server/auth/caller.h"
#include "server/http/connect_error.h"
#include "server/metrics/families.h"
#include "server/metrics/pool_gauges.h"

namespace forebay::server {
namespace {

constexpr char kPlain[] = "text/plain; version=0.0.4; charset=utf-8";
constexpr char kOpenMetrics[] = "application/openmetrics-text; version=1.0.0; charset=utf-8";
constexpr std::string_view kOpenMetricsType = "application/openmetrics-text";

HttpResponse Page(const HttpRequest& request,
                  const std::vector<prometheus::MetricFamily>& families) {
  const bool open = request.Header("accept").find(kOpenMetricsType) != std::string::npos;
  HttpResponse response;
  response.content_type = open ? kOpenMetrics : kPlain;
  response.body = open ? OpenMetricsText(families) : PrometheusText(families);
  return response;
}

}  // namespace

bool MetricsPage::Answer(const std::shared_ptr<HttpExchange>& exchange) {
  const HttpRequest& request = exchange->request();
  if (request.path != "/metrics") return false;
  if (request.method != "GET") {
    HttpResponse refused{405, kPlain, "ask by GET\n", {{"Allow", "GET"}}};
    exchange->Answer(std::move(refused));
    return true;
  }
  authenticator_.Authenticate(request.Header("authorization"),
                              [this, exchange](const absl::StatusOr<Caller>& caller) {
                                absl::Status allowed = caller.status();
                                if (allowed.ok()) allowed = CheckAccess(*caller, v1::ACCESS_VIEWER);
                                if (!allowed.ok()) return exchange->Answer(ConnectError(allowed));
                                Collect(exchange);
                              });
  return true;
}

void MetricsPage::Collect(const std::shared_ptr<HttpExchange>& exchange) {
  const absl::Status queued = executor_.Submit([this, exchange](Session& session) {
    std::vector<prometheus::MetricFamily> families;
    for (const prometheus::Collectable* source : sources_) {
      for (auto& family : source->Collect()) families.push_back(std::move(family));
    }
    auto pools = ReadPoolGauges(session);
    // What the process itself knows is told also while its database is away.
    if (pools.ok()) families.insert(families.end(), pools->begin(), pools->end());
    families.push_back(GaugeFamily("forebay_database_up", "1 if the database answered this scrape.",
                                   pools.ok() ? 1 : 0));
    exchange->Answer(Page(exchange->request(), families));
  });
  if (!queued.ok()) exchange->Answer(ConnectError(queued));
}

}  // namespace forebay::server
