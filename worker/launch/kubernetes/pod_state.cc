#include "worker/launch/kubernetes/pod_state.h"

#include <fmt/format.h>

#include <algorithm>
#include <csignal>

#include "common/base/exit_code.h"
#include "common/base/text.h"
#include "worker/launch/engine_words.h"
#include "worker/launch/kubernetes/obstacle.h"

namespace forebay::worker {
namespace {

using State = ContainerDigest::State;

// A Pod whose node is gone is not waited for longer than this beyond its grace.
constexpr absl::Duration kLostAfter = absl::Seconds(30);
constexpr size_t kMostFinalWords = 1000;

// Why the cluster ended a Pod, as a reason of an exit; empty: it did not.
struct Disruption {
  std::string reason;
  std::string message;
};

Disruption DisruptionOf(const RunView& view, const SeenPod& seen) {
  const PodDigest& pod = seen.digest;
  const auto because = [](const char* reason, const std::string& message) {
    return Disruption{reason, message};
  };
  if (view.job.condition_reason == "DeadlineExceeded") {
    return because("DEADLINE", view.job.condition_message);
  }
  if (pod.reason == "DeadlineExceeded") return because("DEADLINE", pod.message);
  if (pod.reason == "Evicted") return because("EVICTED", pod.message);
  if (pod.reason == "Preempting" || pod.disruption == "PreemptionByScheduler") {
    return because("PREEMPTED",
                   pod.disruption_message.empty() ? pod.message : pod.disruption_message);
  }
  if (pod.disruption == "EvictionByEvictionAPI" || pod.disruption == "TerminationByKubelet") {
    return because("EVICTED", pod.disruption_message);
  }
  if (pod.disruption == "DeletionByTaintManager" && view.warnings.node_not_ready.empty()) {
    return because("EVICTED", pod.disruption_message);
  }
  if (!pod.disruption.empty()) return because("NODE_LOST", pod.disruption_message);
  const bool lost = pod.reason == "NodeLost" ||
                    (!view.warnings.node_not_ready.empty() && pod.main.state != State::kTerminated);
  if (lost) return because("NODE_LOST", "the node of the Pod does not answer");
  if (view.stop_wanted) return {};
  if (seen.gone || pod.deleting || view.job.deleting || view.job_gone) {
    return because("DELETED", "somebody else deleted the run's Pod or Job");
  }
  return {};
}

ExitRecord NeverStarted(std::string message, std::string failure = "", bool retryable = false) {
  ExitRecord end;
  end.reason = "NEVER_STARTED";
  end.launch_failure = std::move(failure);
  end.launch_retryable = retryable;
  end.message = std::move(message);
  return end;
}

// The runtime could not begin the container.
bool FailedToStart(const ContainerDigest& container) {
  return container.reason == "StartError" || container.reason == "ContainerCannotRun";
}

// It ended, or was ended, before user code.
ExitRecord EndUnbegun(const RunView& view, const SeenPod& seen) {
  const PodDigest& pod = seen.digest;
  const ContainerDigest& main = pod.main;
  if (view.stop_wanted) return NeverStarted("stopped before user code began");
  if (main.state == State::kTerminated && FailedToStart(main)) {
    return NeverStarted(main.message, LaunchFailureOf(main.message));
  }
  const Disruption disruption = DisruptionOf(view, seen);
  if (!disruption.reason.empty()) {
    return NeverStarted(disruption.message, disruption.reason, disruption.reason != "DEADLINE");
  }
  if (pod.trouble.state == State::kTerminated) {
    return NeverStarted(
        fmt::format("container {} ended with exit code {} before the run could "
                    "begin: {}",
                    pod.trouble_container, pod.trouble.exit_code,
                    pod.trouble.message.empty() ? pod.trouble.reason : pod.trouble.message),
        "INVALID_JOB");
  }
  // The node refused it after the scheduler had chosen the node.
  if (!pod.reason.empty()) {
    return NeverStarted(fmt::format("{}: {}", pod.reason, pod.message),
                        "INFRASTRUCTURE_UNAVAILABLE", true);
  }
  return NeverStarted("the Pod ended before user code began", "INFRASTRUCTURE_UNAVAILABLE", true);
}

std::string WithFinalWords(std::string message, const ContainerDigest& main) {
  const std::string words = CutUtf8(Trim(main.message), kMostFinalWords);
  if (words.empty()) return message;
  return message.empty() ? words : fmt::format("{}: {}", message, words);
}

ExitRecord EndBegun(const RunView& view, const SeenPod& seen) {
  const ContainerDigest& main = seen.digest.main;
  ExitRecord end = main.reason == "OOMKilled" ? OutOfMemory() : EndByCode(main.exit_code);
  end.message = WithFinalWords(end.message, main);
  const Disruption disruption = DisruptionOf(view, seen);
  // What had ended well, or by itself, had ended before the cluster came.
  if (disruption.reason.empty() || end.reason == "OOM_KILLED" || main.exit_code == 0) return end;
  if (disruption.reason == "DELETED" && end.signal == 0) return end;
  end.reason = disruption.reason;
  if (end.signal == 0) end.signal = SIGTERM;
  end.message = fmt::format("{} ({})", disruption.message, end.message);
  return end;
}

// User code had begun, and nobody saw how it ended.
ExitRecord EndUnseen(const RunView& view, const SeenPod& seen) {
  const Disruption disruption = DisruptionOf(view, seen);
  ExitRecord end;
  end.reason = disruption.reason.empty() ? "SIGNALED" : disruption.reason;
  end.signal = SIGKILL;
  end.message = disruption.message.empty() ? "the Pod went before its exit code was seen"
                                           : disruption.message;
  return end;
}

bool IsLost(const RunView& view, const SeenPod& seen) {
  if (!seen.deleting_since.has_value()) return false;
  const absl::Duration patience = absl::Seconds(seen.digest.grace_seconds) + kLostAfter;
  return view.now > *seen.deleting_since + patience &&
         DisruptionOf(view, seen).reason == "NODE_LOST";
}

// The end of a Pod, if it has come.
std::optional<ExitRecord> EndOf(const RunView& view, const SeenPod& seen) {
  const PodDigest& pod = seen.digest;
  const bool begun = HasBegun(seen);
  const bool over = seen.gone || pod.ended();
  if (pod.main.state == State::kTerminated && (over || !pod.deleting)) {
    return begun ? EndBegun(view, seen) : EndUnbegun(view, seen);
  }
  if (!over && !IsLost(view, seen)) return std::nullopt;
  return begun ? EndUnseen(view, seen) : EndUnbegun(view, seen);
}

// The end of a run without a Pod, if it has come.
std::optional<ExitRecord> EndWithoutPod(const RunView& view) {
  if (view.job_gone) {
    if (view.stop_wanted) return NeverStarted("stopped before user code began");
    return NeverStarted("somebody else deleted the run's Job", "DELETED", true);
  }
  if (view.job.condition != "Failed") return std::nullopt;
  const std::string message =
      fmt::format("{}: {}", view.job.condition_reason, view.job.condition_message);
  if (view.stop_wanted) return NeverStarted("stopped before user code began");
  if (view.job.condition_reason == "DeadlineExceeded") return NeverStarted(message, "DEADLINE");
  if (!view.pods.empty()) {
    return NeverStarted("somebody else deleted the run's Pod before it began", "DELETED", true);
  }
  return NeverStarted(message, "INFRASTRUCTURE_UNAVAILABLE", true);
}

// The end that is made of waiting in vain, if it has come.
std::optional<ExitRecord> EndOfPatience(const RunView& view) {
  const auto obstacle = ObstacleOf(view);
  if (obstacle.has_value() && !obstacle->may_pass) {
    return NeverStarted(obstacle->message, obstacle->reason, obstacle->retryable);
  }
  const absl::Duration patience = absl::Seconds(view.job.pod_watch_timeout_seconds);
  if (patience <= absl::ZeroDuration() || view.now < view.since + patience) return std::nullopt;
  const std::string after = fmt::format("not begun within {} s", absl::ToInt64Seconds(patience));
  if (!obstacle.has_value()) return NeverStarted(after, "INFRASTRUCTURE_UNAVAILABLE", true);
  return NeverStarted(fmt::format("{}; {}", obstacle->message, after), obstacle->reason,
                      obstacle->retryable);
}

bool TurnedAway(const SeenPod& pod) {
  return !pod.digest.go && pod.digest.main.state == State::kTerminated &&
         pod.digest.main.exit_code == kExitGateLost;
}

Observation Ended(Observation seen, ExitRecord end) {
  seen.stage = Stage::kExited;
  seen.exit = std::move(end);
  return seen;
}

}  // namespace

const SeenPod* ChosenPod(const RunView& view) {
  const SeenPod* chosen = nullptr;
  for (const SeenPod& pod : view.pods) {
    if (pod.digest.go) return &pod;
    // The Job may make another.
    if (pod.gone && !HasBegun(pod)) continue;
    const bool better = chosen == nullptr || (TurnedAway(*chosen) && !TurnedAway(pod));
    if (better) chosen = &pod;
  }
  return chosen;
}

bool HasBegun(const SeenPod& pod) {
  const ContainerDigest& main = pod.digest.main;
  return main.state == State::kRunning ||
         (main.state == State::kTerminated && !FailedToStart(main));
}

bool IsWaiting(const SeenPod& pod) {
  const PodDigest& digest = pod.digest;
  return digest.scheduling_gate.has_value() && !digest.go && !pod.gone && !digest.deleting;
}

Observation ObservationOf(const RunView& view) {
  Observation seen;
  seen.stage = view.job.gated ? Stage::kPreparing : Stage::kWaiting;
  seen.infrastructure_id = fmt::format("{}/{}", view.job.name_space, view.job.uid);
  const SeenPod* pod = ChosenPod(view);
  if (pod == nullptr) {
    if (auto end = EndWithoutPod(view)) return Ended(std::move(seen), *std::move(end));
  } else {
    if (auto end = EndOf(view, *pod)) return Ended(std::move(seen), *std::move(end));
    if (HasBegun(*pod) || IsWaiting(*pod)) {
      seen.stage = HasBegun(*pod) ? Stage::kStarted : Stage::kWaiting;
      return seen;
    }
    // What was let go may still lack its node or its image.
    if (pod->digest.go) seen.stage = Stage::kStarted;
  }
  if (view.stop_wanted) return seen;
  if (auto end = EndOfPatience(view)) return Ended(std::move(seen), *std::move(end));
  return seen;
}

}  // namespace forebay::worker
