#pragma once

// What a cluster tells of one run, as an observation. Pure: the same digests always give the same
// answer, whoever asks.

#include <optional>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "worker/launch/kubernetes/digest.h"
#include "worker/launch/kubernetes/metrics/pod_usage.h"
#include "worker/launch/launcher.h"

namespace forebay::worker {

struct SeenPod {
  PodDigest digest;
  // It is not in the cluster any more.
  bool gone = false;
  // Since when it is being deleted, on the worker's clock; nothing: it is not.
  std::optional<absl::Duration> deleting_since;
  SampledUse use;
};

// What stands in the way of a run that has not begun, in the words of the last event of its kind.
struct Warnings {
  // No Pod could be made of the Job.
  std::string failed_create;
  // Why an image does not come, which the state of a container does not always say.
  std::string failed_pull;
  std::string failed_mount;
  // Its node does not answer.
  std::string node_not_ready;
};

struct RunView {
  // With no uid: it is not known.
  JobDigest job;
  bool job_gone = false;
  // All Pods that were ever seen of it, the oldest first.
  std::vector<SeenPod> pods;
  Warnings warnings;
  // This worker was told to end it.
  bool stop_wanted = false;
  // Since when it is waited for, and now, on the worker's clock.
  absl::Duration since;
  absl::Duration now;
};

// The Pod that runs it: the one that was let go; else the oldest that was not turned away by the
// server (exit code 75) and did not go before it began. Null: none (yet, or any more). A cluster
// may make several.
const SeenPod* ChosenPod(const RunView& view);
// Whether its main container runs, or ran: user code may have begun, and there is output.
bool HasBegun(const SeenPod& pod);
// Whether it is held back and ready to be let go.
bool IsWaiting(const SeenPod& pod);

// Stage, and with kExited its end without usage. kPreparing and kWaiting are told apart as
// kubernetes_launcher.h says. What may still come is waited for until pod_watch_timeout_seconds are
// over.
Observation ObservationOf(const RunView& view);

}  // namespace forebay::worker
