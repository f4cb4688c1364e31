#include "worker/launch/kubernetes/obstacle.h"

#include <fmt/format.h>

#include "common/base/text.h"
#include "worker/launch/engine_words.h"

namespace forebay::worker {
namespace {

using State = ContainerDigest::State;

constexpr absl::Duration kForOwnSecret = absl::Seconds(30);
constexpr char kQuotaExceeded[] = "QUOTA_EXCEEDED";
constexpr char kPodRefused[] = "POD_REFUSED";
constexpr char kVolumeUnavailable[] = "VOLUME_UNAVAILABLE";

bool Has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

Obstacle Pull(const RunView& view, const std::string& message) {
  // "Back-off pulling image" says nothing of why; what it waits for was said before.
  const bool vague = !Has(message, ": ");
  const std::string& words =
      vague && !view.warnings.failed_pull.empty() ? view.warnings.failed_pull : message;
  const PullFailure failure = PullFailureOf(words);
  const bool unknown = vague && view.warnings.failed_pull.empty();
  return {failure.reason, words, failure.retryable, failure.retryable || unknown};
}

// The names of a Secret or a ConfigMap that is not there, or that the image runs as root: the
// container will never be made. Anything else the kubelet tries again.
Obstacle ConfigError(const RunView& view, const std::string& message) {
  const std::string ours = fmt::format("secret \"{}", "forebay-");
  const bool certain = Has(message, "not found") || Has(message, "couldn't find key") ||
                       Has(message, "runAsNonRoot") || Has(message, "non-root") ||
                       Has(message, "non-numeric user");
  // Whoever holds the run makes its Secret, unless its worker died in between.
  if (Has(message, ours)) {
    return {"INFRASTRUCTURE_UNAVAILABLE", message, true, view.now < view.since + kForOwnSecret};
  }
  return {"INVALID_JOB", message, false, !certain};
}

Obstacle CreateError(const std::string& message) {
  const std::string reason = LaunchFailureOf(message);
  return {reason, message, false, reason == "INVALID_JOB"};
}

std::optional<Obstacle> OfContainer(const RunView& view, const PodDigest& pod) {
  const ContainerDigest& container = pod.trouble;
  if (container.state != State::kWaiting) return std::nullopt;
  const std::string said = container.message.empty()
                               ? container.reason
                               : fmt::format("{}: {}", container.reason, container.message);
  const std::string& reason = container.reason;
  Obstacle obstacle{"INFRASTRUCTURE_UNAVAILABLE", container.message, true, true};
  if (reason == "ErrImagePull" || reason == "ImagePullBackOff") {
    obstacle = Pull(view, container.message);
  } else if (reason == "InvalidImageName") {
    obstacle = {"INVALID_JOB", container.message, false, false};
  } else if (reason == "ErrImageNeverPull") {
    obstacle = {"IMAGE_NOT_FOUND", container.message, false, false};
  } else if (reason == "CreateContainerConfigError") {
    obstacle = ConfigError(view, container.message);
  } else if (reason == "CreateContainerError") {
    obstacle = CreateError(container.message);
  } else if (reason == "RunContainerError") {
    obstacle = {LaunchFailureOf(container.message), container.message, false, false};
  }
  if (obstacle.message == container.message) obstacle.message = said;
  if (pod.trouble_container != pod.main_container) {
    obstacle.message = fmt::format("container {}: {}", pod.trouble_container, obstacle.message);
  }
  return obstacle;
}

std::optional<Obstacle> WithoutPod(const RunView& view) {
  const std::string& why = view.warnings.failed_create;
  if (why.empty()) return std::nullopt;
  if (Has(why, "exceeded quota")) return Obstacle{kQuotaExceeded, why, true, true};
  const bool refused =
      Has(why, "is forbidden") || Has(why, "denied the request") || Has(why, "is invalid");
  return Obstacle{kPodRefused, why, false, !refused};
}

}  // namespace

std::optional<Obstacle> ObstacleOf(const RunView& view) {
  const SeenPod* pod = ChosenPod(view);
  if (pod == nullptr) return WithoutPod(view);
  if (auto obstacle = OfContainer(view, pod->digest)) return obstacle;
  if (!pod->digest.unschedulable.empty()) {
    return Obstacle{"UNSCHEDULABLE", pod->digest.unschedulable, false, true};
  }
  if (!view.warnings.failed_mount.empty() && pod->digest.main.state == State::kWaiting) {
    return Obstacle{kVolumeUnavailable, view.warnings.failed_mount, false, true};
  }
  return std::nullopt;
}

}  // namespace forebay::worker
