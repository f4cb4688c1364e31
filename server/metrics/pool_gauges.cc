#include "server/metrics/pool_gauges.h"

#include "common/base/status.h"
#include "prometheus/metric_type.h"
#include "server/api/messages.h"
#include "server/metrics/families.h"
#include "server/store/work_pools.h"

namespace forebay::server {
namespace {

constexpr int kMostPools = 1000;
constexpr char kPool[] = "pool";

using prometheus::MetricFamily;

MetricFamily Gauge(const char* name, const char* help) {
  MetricFamily family;
  family.name = name;
  family.help = help;
  family.type = prometheus::MetricType::Gauge;
  return family;
}

}  // namespace

absl::StatusOr<std::vector<MetricFamily>> ReadPoolGauges(Session& session) {
  ASSIGN_OR_RETURN(const auto pools, ListPools(session, std::nullopt, std::nullopt, kMostPools));
  MetricFamily queued = Gauge("forebay_pool_queued_runs", "Runs that wait, counted to 100 000.");
  MetricFamily held = Gauge("forebay_pool_held_attempts", "Attempts that workers have.");
  MetricFamily online = Gauge("forebay_pool_online_workers", "Workers whose lease lives.");
  MetricFamily ready = Gauge("forebay_pool_ready", "1 if a worker of the pool can launch.");
  MetricFamily paused = Gauge("forebay_pool_paused", "1 if the pool is paused.");
  for (const v1::WorkPool& pool : pools) {
    const std::string name(pool.name().substr(pool.name().rfind('/') + 1));
    AddGauge(queued, kPool, name, static_cast<double>(pool.queued_runs()));
    AddGauge(held, kPool, name, static_cast<double>(pool.held_attempts()));
    AddGauge(online, kPool, name, pool.online_workers());
    AddGauge(ready, kPool, name, pool.status() == v1::POOL_STATUS_READY ? 1 : 0);
    AddGauge(paused, kPool, name, pool.paused() ? 1 : 0);
  }
  return std::vector<MetricFamily>{queued, held, online, ready, paused};
}

}  // namespace forebay::server
