#pragma once

// The output of one container, followed from the engine to the worker's disk (output/run_log.h).

#include <functional>
#include <string>
#include <string_view>
#include <thread>

#include "absl/status/status.h"
#include "common/base/sync.h"
#include "worker/launch/docker/engine/engine_api.h"
#include "worker/launch/output/run_log.h"

namespace forebay::worker {

struct LogFrame;

// Say before Follow, from one thread; the rest from any.
class ContainerLog {
 public:
  // `changed`: there are more lines, or it is complete; from a thread of this object.
  ContainerLog(EngineApi& engine, std::string path, output::LogLimits limits,
               std::function<void()> changed);
  // Gives up following; the file stays.
  ~ContainerLog();
  ContainerLog(const ContainerLog&) = delete;
  ContainerLog& operator=(const ContainerLog&) = delete;

  // As RunLog.
  absl::Status Open(int64_t lines) { return log_.Open(lines); }
  void Say(std::string_view text, int64_t wall_micros);
  // Reads the container's output, until it has ended and all of it is in the file. Once takes
  // effect.
  void Follow(const std::string& container);
  // There is no output to be followed.
  void SetComplete() { log_.SetComplete(); }

  int64_t lines() const { return log_.lines(); }
  bool complete() const { return log_.complete(); }
  const std::string& path() const { return log_.path(); }

 private:
  void Run(const std::string& container);
  // Reads the output from its beginning and takes what is new.
  absl::Status ReadOnce(const std::string& container, bool follow);
  void Finish();
  bool Pause();

  EngineApi& engine_;
  const std::function<void()> changed_;
  output::RunLog log_;
  // Frames of the engine's log that have been taken.
  int64_t frames_ = 0;
  Cancellation cancellation_;
  Mutex mutex_;
  CondVar ending_changed_;
  bool ending_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace forebay::worker
