#include "server/metrics/families.h"

#include <sstream>

#include "common/base/text.h"
#include "prometheus/text_serializer.h"

namespace forebay::server {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

constexpr std::string_view kTotal = "_total";

MetricFamily Family(const std::string& name, const std::string& help, MetricType type) {
  MetricFamily family;
  family.name = name;
  family.help = help;
  family.type = type;
  return family;
}

// "# TYPE x_total counter" and its HELP.
std::string WithoutTotal(std::string_view line) {
  const size_t name = line.find(' ', 2) + 1;
  const size_t end = line.find(' ', name);
  std::string text(line);
  if (end != std::string::npos && line.substr(name, end - name).ends_with(kTotal))
    text.erase(end - kTotal.size(), kTotal.size());
  return text;
}

}  // namespace

MetricFamily GaugeFamily(const std::string& name, const std::string& help, double value) {
  MetricFamily family = Family(name, help, MetricType::Gauge);
  family.metric.emplace_back().gauge.value = value;
  return family;
}

MetricFamily CounterFamily(const std::string& name, const std::string& help, double value) {
  MetricFamily family = Family(name, help, MetricType::Counter);
  family.metric.emplace_back().counter.value = value;
  return family;
}

void AddGauge(MetricFamily& family, const std::string& label, const std::string& of, double value) {
  ClientMetric& metric = family.metric.emplace_back();
  metric.label.push_back({label, of});
  metric.gauge.value = value;
}

std::string PrometheusText(const std::vector<MetricFamily>& families) {
  std::ostringstream text;
  prometheus::TextSerializer().Serialize(text, families);
  return text.str();
}

std::string OpenMetricsText(const std::vector<MetricFamily>& families) {
  std::string text;
  const std::string plain = PrometheusText(families);
  for (const std::string_view line : Split(plain, '\n')) {
    if (line.empty()) continue;
    text += line.starts_with("# ") ? WithoutTotal(line) : std::string(line);
    text += '\n';
  }
  return text + "# EOF\n";
}

}  // namespace forebay::server
