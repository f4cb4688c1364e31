#pragma once

// Metrics whose values are read when they are asked for, and the text of them all.

#include <string>
#include <vector>

#include "prometheus/metric_family.h"

namespace forebay::server {

prometheus::MetricFamily GaugeFamily(const std::string& name, const std::string& help,
                                     double value);
prometheus::MetricFamily CounterFamily(const std::string& name, const std::string& help,
                                       double value);
// One more value of a gauge's family, under a label.
void AddGauge(prometheus::MetricFamily& family, const std::string& label, const std::string& of,
              double value);

// https://github.com/prometheus/docs/blob/main/content/docs/instrumenting/exposition_formats.md,
// version 0.0.4.
std::string PrometheusText(const std::vector<prometheus::MetricFamily>& families);
// https://github.com/OpenObservability/OpenMetrics, version 1.0: a counter's family is named
// without its `_total`, and the end is marked.
std::string OpenMetricsText(const std::vector<prometheus::MetricFamily>& families);

}  // namespace forebay::server
