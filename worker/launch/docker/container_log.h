#pragma once

// The output of one container on its way from the engine to the worker's disk.
//
// What stands in the file is a function of what the engine keeps: lines are cut, and what is beyond
// the rate is dropped, by the engine's own times. So a worker that is started again reads the
// engine's log anew and arrives at the same lines with the same sequence numbers. In front of them
// stand the lines that the worker itself wrote while it prepared the container; their number is
// known by the container's label.

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "absl/status/status.h"
#include "common/base/sync.h"
#include "worker/launch/docker/engine/engine_api.h"
#include "worker/launch/output/line_splitter.h"
#include "worker/launch/output/output_writer.h"

namespace forebay::worker {

struct LogFrame;

struct LogLimits {
  int64_t rate_bytes = 0;
  int64_t burst_bytes = 0;
};

// Say before Follow, from one thread; the rest from any.
class ContainerLog {
 public:
  // `changed`: there are more lines, or it is complete; from a thread of this object.
  ContainerLog(EngineApi& engine, std::string path, LogLimits limits,
               std::function<void()> changed);
  // Gives up following; the file stays.
  ~ContainerLog();
  ContainerLog(const ContainerLog&) = delete;
  ContainerLog& operator=(const ContainerLog&) = delete;

  // Begins the file with the first `lines` records of what an earlier worker left there; lost ones
  // are stood in for.
  absl::Status Open(int64_t lines);
  // A line of the worker's own, to be read at once.
  void Say(std::string_view text, int64_t wall_micros);
  // Reads the container's output, until it has ended and all of it is in the file. Once takes
  // effect.
  void Follow(const std::string& container);
  // There is no output to be followed.
  void SetComplete() { complete_ = true; }

  int64_t lines() const { return lines_; }
  bool complete() const { return complete_; }
  const std::string& path() const { return path_; }

 private:
  absl::Status OpenWriter();
  void Run(const std::string& container);
  // Reads the output from its beginning and takes what is new.
  absl::Status ReadOnce(const std::string& container, bool follow);
  void Take(const LogFrame& frame);
  void Finish();
  void Publish();
  bool Pause();

  EngineApi& engine_;
  const std::string path_;
  const LogLimits limits_;
  const std::function<void()> changed_;
  std::unique_ptr<output::OutputWriter> writer_;
  output::LineSplitter output_splitter_;
  output::LineSplitter errors_splitter_;
  int64_t line_micros_ = 0;
  int64_t first_lines_ = 0;
  // Frames of the engine's log that have been taken.
  int64_t frames_ = 0;
  std::atomic<int64_t> lines_ = 0;
  std::atomic<bool> complete_ = false;
  Cancellation cancellation_;
  Mutex mutex_;
  CondVar ending_changed_;
  bool ending_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace forebay::worker
