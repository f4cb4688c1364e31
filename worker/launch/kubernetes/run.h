#pragma once

// One run of ours in the cluster, as this worker process knows it: what the watches tell of it, and
// its log once this worker looks after it.

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "common/base/clock.h"
#include "common/base/sync.h"
#include "worker/launch/kubernetes/pod_log.h"
#include "worker/launch/kubernetes/pod_state.h"

namespace forebay::worker {

// Thread-safe.
class Run {
 public:
  Run(std::string name, std::string name_space, const Clock& clock);
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  // From the watches and from answers of calls; older versions than what is known change nothing.
  // Whether something changed.
  bool TakeJob(const JobDigest& job);
  bool TakePod(const PodDigest& pod);
  bool TakeEvent(const EventDigest& event);
  // What its Pod uses; one of another Pod says nothing.
  void TakeSample(const PodSample& sample);
  bool JobGone();
  bool PodGone(const std::string& uid);
  // The uids of Pods that are there and older than the version.
  std::vector<std::string> PodsUpTo(int64_t version) const;

  // This worker looks after it from now on: the log is kept, with the lines of its preparation.
  absl::Status Hold(std::unique_ptr<PodLog> log);
  bool held() const;
  // Null unless it is held.
  PodLog* log();

  // It shall end within so many seconds; until the cluster has been told, that is pending. A repeat
  // can only shorten.
  void WantStop(int64_t grace_seconds);
  std::optional<int64_t> pending_stop() const;
  void StopTold(int64_t grace_seconds);
  // Letting it go did not work: for a moment it is not to be tried again. Whether it is the first
  // time, or for another reason than the last.
  bool GoFailed(const absl::Status& error);
  bool go_failed_just_now() const;
  // As of ObservationOf, with its usage, but it has not ended before its output is known to the
  // last line. Follows the output when there is some.
  Observation Observe();
  // Whether its main container does.
  bool running() const;
  RunView view() const;
  int64_t job_version() const;
  // The Pod, and how many lines stand in front of its output, when it has begun and does not know
  // that there are more than usual. From then on there are no more.
  struct Untold {
    PodDigest pod;
    int64_t lines = 0;
  };
  std::optional<Untold> PodToTell();

  const std::string& name() const { return name_; }
  const std::string& name_space() const { return name_space_; }

 private:
  SeenPod* Find(const std::string& uid) REQUIRES(mutex_);
  void Say(const std::string& line) REQUIRES(mutex_);
  void SayScheduled() REQUIRES(mutex_);
  void Freeze() REQUIRES(mutex_);
  void Note(const EventDigest& event) REQUIRES(mutex_);
  void TellLogOfEnd() REQUIRES(mutex_);
  RunView ViewNow() const REQUIRES(mutex_);
  // The end was seen, or not, as `pod` tells: no more output is waited for than there can be.
  void EndLog(const SeenPod& pod) REQUIRES(mutex_);
  void AddUsage(const SeenPod& pod, ExitRecord& end) REQUIRES(mutex_);

  const std::string name_;
  const std::string name_space_;
  const Clock& clock_;
  mutable Mutex mutex_;
  RunView view_ GUARDED_BY(mutex_);
  // Written by this worker, or what it would have written.
  std::vector<std::string> preparation_ GUARDED_BY(mutex_);
  // The preparation is over, and had so many lines.
  std::optional<int64_t> frozen_ GUARDED_BY(mutex_);
  bool scheduled_said_ GUARDED_BY(mutex_) = false;
  // Events that have had their line.
  std::set<std::string> said_ GUARDED_BY(mutex_);
  std::optional<int64_t> pending_stop_ GUARDED_BY(mutex_);
  std::optional<absl::Duration> go_failed_at_ GUARDED_BY(mutex_);
  // Since when it counts as ended though nobody saw its container end.
  std::optional<absl::Duration> lost_since_ GUARDED_BY(mutex_);
  // When its end was seen, microseconds since the epoch: what a cluster does not say of ends that
  // nobody there saw.
  std::optional<int64_t> end_seen_micros_ GUARDED_BY(mutex_);
  absl::Status go_error_ GUARDED_BY(mutex_);
  std::unique_ptr<PodLog> log_ GUARDED_BY(mutex_);
};

}  // namespace forebay::worker
