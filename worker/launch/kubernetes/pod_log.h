#pragma once

// The output of one Pod's main container, followed from the cluster to the worker's disk
// (output/run_log.h). A connection that breaks is made again from where it was; no thread waits for
// it.

#include <cstdint>
#include <functional>
#include <string>

#include "absl/status/status.h"
#include "common/base/backoff.h"
#include "common/base/sync.h"
#include "worker/launch/kubernetes/api/kubernetes_api.h"
#include "worker/launch/kubernetes/log_cursor.h"
#include "worker/launch/output/run_log.h"

namespace forebay::worker {

// Open and Say before Follow, one thread at a time; the rest from any.
class PodLog {
 public:
  // `changed`: there are more lines, or it is complete; from the thread of the API's streams.
  PodLog(KubernetesApi& api, std::string path, output::LogLimits limits,
         std::function<void()> changed);
  // Gives up following; the file stays.
  ~PodLog();
  PodLog(const PodLog&) = delete;
  PodLog& operator=(const PodLog&) = delete;

  // As RunLog.
  absl::Status Open(int64_t lines) { return log_.Open(lines); }
  void Say(std::string_view text, int64_t wall_micros) { log_.Say(text, wall_micros); }
  // Reads the output of the container until it has ended and all of it is in the file. Once takes
  // effect.
  void Follow(const LogQuery& container);
  // The container has ended, or is gone: what is asked for from now on is all there will be. (An
  // answer that came to its end before may have been cut short: nothing tells the two apart.)
  void ContainerEnded();
  // Nothing more of it is waited for.
  void Abandon();
  // There is no output to be followed.
  void SetComplete() { log_.SetComplete(); }

  int64_t lines() const { return log_.lines(); }
  bool complete() const { return log_.complete(); }
  const std::string& path() const { return log_.path(); }

 private:
  void Read(absl::Duration delay);
  void Take(std::string_view bytes);
  void Ended(const absl::Status& outcome);
  void GiveUp(const absl::Status& why);
  void Finish();

  KubernetesApi& api_;
  const std::function<void()> changed_;
  // The streams' thread's own once it is followed.
  output::RunLog log_;
  LogCursor cursor_;
  Backoff backoff_;
  int failures_ = 0;
  // The last answer came to its end.
  bool read_to_end_ = false;

  Mutex mutex_;
  bool ending_ GUARDED_BY(mutex_) = false;
  bool following_ GUARDED_BY(mutex_) = false;
  bool container_ended_ GUARDED_BY(mutex_) = false;
  // The answer that is being read, or waited for, was asked for after the container's end.
  bool reads_all_ GUARDED_BY(mutex_) = false;
  // The last answer came to its end, and the next is not begun before this time.
  absl::Duration at_end_until_ GUARDED_BY(mutex_);
  uint64_t stream_ GUARDED_BY(mutex_) = 0;
  LogQuery query_ GUARDED_BY(mutex_);
};

}  // namespace forebay::worker
