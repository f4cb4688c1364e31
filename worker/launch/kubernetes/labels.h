#pragma once

// What our Jobs, Pods and Secrets carry, so that they are found again and people see whose they
// are.
//
// Beside these all three carry the attribution that every launcher is given (LaunchSpec::labels:
// forebay.io/run-id, attempt, flow, deployment, pool, worker). A value that is no label by
// Kubernetes' rules stands in full in an annotation of the same name. Pure.

#include <map>
#include <string>
#include <string_view>

#include "common/json/json.h"

namespace forebay::worker {

// Labels.
// The pool's uid: the selector of all that is ours.
inline constexpr char kPoolIdLabel[] = "forebay.io/pool-id";
// As LaunchSpec::labels have them.
inline constexpr char kRunIdLabel[] = "forebay.io/run-id";
inline constexpr char kAttemptLabel[] = "forebay.io/attempt";

// The scheduling gate of a gated job's Pod.
inline constexpr char kSchedulingGate[] = "forebay.io/go";

// Annotations of Job and Pod.
// `name` of the job, for people.
inline constexpr char kNameAnnotation[] = "forebay.io/name";
// "true": the Pod is held back by kSchedulingGate, until it is let go.
inline constexpr char kGatedAnnotation[] = "forebay.io/gated";
// The container that runs the command.
inline constexpr char kMainContainerAnnotation[] = "forebay.io/main-container";
// "true": it stays after its end (finished_job_ttl).
inline constexpr char kKeepAnnotation[] = "forebay.io/keep";
// "false": its output is not read (stream_output).
inline constexpr char kStreamOutputAnnotation[] = "forebay.io/stream-output";
// pod_watch_timeout_seconds, for whoever takes the run over.
inline constexpr char kPodWatchTimeoutAnnotation[] = "forebay.io/pod-watch-timeout-seconds";

// Annotations of the Pod alone, patched in while it lives.
// The Pod's own uid: it was let go. Put there by the same patch that takes the gate away.
inline constexpr char kGoAnnotation[] = "forebay.io/go";
// Lines that the worker wrote to the run's log before the container's own.
inline constexpr char kPreparationLinesAnnotation[] = "forebay.io/preparation-lines";

// `value` by Kubernetes' rules for values of labels: at most 63 of [A-Za-z0-9._-], beginning and
// ending with a letter or a digit; what does not fit becomes '-', and what is too long is cut in
// such a way that two long values stay two.
std::string LabelValue(std::string_view value);

struct Marks {
  std::map<std::string, std::string> labels;
  // Of the labels whose values had to be changed, the full ones.
  std::map<std::string, std::string> annotations;
};
// `labels` as Kubernetes can take them. Names are taken as they are.
Marks MarksOf(const std::map<std::string, std::string>& labels);

// The value under `name` in labels or annotations as the API server tells them; empty when there is
// none.
std::string MarkOf(const Json& marks, const std::string& name);

}  // namespace forebay::worker
