#pragma once

// The output of one run on its way from where its engine keeps it to the worker's disk.
//
// What stands in the file is a function of what the engine keeps: lines are cut, and what is beyond
// the rate is dropped, by the engine's own times. So a worker that is started again reads the
// engine's log anew and arrives at the same lines with the same sequence numbers. In front of them
// stand the lines that the worker itself wrote while it prepared the run; their number is kept with
// the run's infrastructure.

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "worker/launch/output/line_splitter.h"
#include "worker/launch/output/output_file.h"
#include "worker/launch/output/output_writer.h"

namespace forebay::output {

struct LogLimits {
  int64_t rate_bytes = 0;
  int64_t burst_bytes = 0;
};

// One thread at a time, but for the last three.
class RunLog {
 public:
  RunLog(std::string path, LogLimits limits);
  RunLog(const RunLog&) = delete;
  RunLog& operator=(const RunLog&) = delete;

  // Begins the file with the first `lines` records of what an earlier worker left there; lost ones
  // are stood in for.
  absl::Status Open(int64_t lines);
  // A line of the worker's own, to be read at once.
  void Say(std::string_view text, int64_t wall_micros);

  // The run's own output follows: with a rate of its own, and times by the engine's clock alone, so
  // that what becomes of it does not depend on the lines in front of it.
  absl::Status BeginOutput();
  // Bytes that were written at that time.
  void Take(Stream stream, int64_t time_micros, std::string_view bytes);
  // Makes what was taken readable; whether there are more lines than before.
  bool Publish();
  // A word of the worker's own among them, without a time of its own.
  void Mark(std::string_view text);
  // There is no more.
  void Finish();

  // There is no output to be followed.
  void SetComplete() { complete_ = true; }
  int64_t lines() const { return lines_; }
  bool complete() const { return complete_; }
  const std::string& path() const { return path_; }

 private:
  absl::Status OpenWriter();

  const std::string path_;
  const LogLimits limits_;
  std::unique_ptr<OutputWriter> writer_;
  LineSplitter output_splitter_;
  LineSplitter errors_splitter_;
  int64_t line_micros_ = 0;
  int64_t first_lines_ = 0;
  std::atomic<int64_t> lines_ = 0;
  std::atomic<bool> complete_ = false;
};

}  // namespace forebay::output
