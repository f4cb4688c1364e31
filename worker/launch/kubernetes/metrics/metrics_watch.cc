#include "worker/launch/kubernetes/metrics/metrics_watch.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/status.h"
#include "common/job_spec/kubernetes_pod.h"
#include "common/obs/log.h"

namespace forebay::worker {
namespace {

// Where samples do not say their windows, as before the first ones.
constexpr absl::Duration kUsualPace = absl::Seconds(15);
constexpr absl::Duration kFastestPace = absl::Seconds(1);
constexpr absl::Duration kSlowestPace = absl::Seconds(60);
constexpr absl::Duration kFirstPause = absl::Seconds(5);
constexpr absl::Duration kLongestPause = absl::Minutes(2);
// An API that is not there may be installed one day.
constexpr absl::Duration kWhileAbsent = absl::Minutes(5);

// It may answer the next time.
bool IsPassing(const absl::Status& error) {
  return absl::IsUnavailable(error) || absl::IsDeadlineExceeded(error) ||
         absl::IsUnauthenticated(error);
}

}  // namespace

MetricsWatch::MetricsWatch(KubernetesApi& api, std::string name_space, std::string label_selector,
                           Sink sink)
    : api_(api),
      name_space_(std::move(name_space)),
      label_selector_(std::move(label_selector)),
      sink_(std::move(sink)),
      backoff_(kFirstPause, kLongestPause, SystemRandom()),
      stream_(api) {}

void MetricsWatch::Wake() {
  if (asking_ || !sink_.wanted()) return;
  asking_ = true;
  const absl::Duration wait = next_ - SystemClock().Monotonic();
  stream_.Track(api_.ListPodMetrics(
      name_space_, label_selector_, [this](const auto& list) { Take(list); },
      std::max(wait, absl::ZeroDuration())));
}

void MetricsWatch::Take(const absl::StatusOr<Json>& list) {
  asking_ = false;
  const absl::Duration pause = list.ok() ? TakeSamples(*list) : PauseAfter(list.status());
  next_ = SystemClock().Monotonic() + pause;
  Wake();
}

absl::Duration MetricsWatch::TakeSamples(const Json& list) {
  backoff_.Reset();
  absence_told_ = false;
  absl::Duration window = absl::ZeroDuration();
  const Json* items = MemberOf(&list, "items");
  if (items == nullptr) return kUsualPace;
  for (const Json& item : *items) {
    const auto sample = ReadPodSample(item);
    if (!sample.has_value()) continue;
    window = std::max(window, sample->window);
    sink_.sample(*sample);
  }
  // Windows follow one another: after one the next is there.
  if (window == absl::ZeroDuration()) return kUsualPace;
  return std::clamp(window, kFastestPace, kSlowestPace);
}

absl::Duration MetricsWatch::PauseAfter(const absl::Status& error) {
  if (IsPassing(error)) return std::max(backoff_.Next(), RetryAfter(error));
  if (!std::exchange(absence_told_, true)) {
    spdlog::info("the use of runs in namespace {} is not measured; the cluster's metrics API: {}",
                 name_space_, MessageOf(error));
  }
  return kWhileAbsent;
}

}  // namespace forebay::worker
